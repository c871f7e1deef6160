"""Ground: the helpers that every room stands on; no word of the domain.

- `parsing`: from a caller's argument to the narrowed type, all faults together
- `frozen_dict`: the read-only mapping that values hold
- `classes`: classes of values have no subclasses, and are known to pydantic
- `value`: value classes: each field declared once, with its parser
- `names`: texts that hosts give: which ones are refused
- `trusted`: frozen values made fast, of parts that are known to be good
- `display`: tables of text and of HTML
- `svg`: pictures as text, and their styles in light and dark
- `marks`: axes with rounded ticks; lines, bands and columns between them
- `plots`: pictures of marks between two axes, and of bars that fill up
- `jsontext`: JSON as text, strictly
- `columns`: the columns of all tables, in and out
"""
