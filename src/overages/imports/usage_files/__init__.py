"""Usage files: their layout, and the way from bytes to rows of checked cells.

- `layout`: the meaning of columns, and how they are written
- `packing`: bytes, compressed or not
- `text`: lines of text, in an encoding
- `columns`: the columns that a header names
- `times`: instants, in the ways that exports write them
- `cells`: the cells of many rows at a time
- `rows`: rows as events, or their faults
- `blocks`: blocks of plain rows as Arrow columns
"""
