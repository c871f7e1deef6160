"""Usage files: their layout, and the way from bytes to rows of checked cells.

- `layout`: the meaning of columns, and how they are written
- `packing`: bytes, compressed or not
- `text`: lines of text, in an encoding
- `columns`: the columns that a header names
- `times`: instants, in the ways that exports write them
- `cells`: the cells of many rows at a time
- `rows`: rows as events, or their faults
- `plain_cells`: cells that are written in the usual ways, in columns of pyarrow
- `plain_events`: events in such columns
- `blocks`: blocks of rows, as such events and the others
"""
