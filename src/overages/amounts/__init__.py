"""Amounts: numbers that may not lose a digit.

- `exact`: quantities and exact costs: how they are read, scaled, summed and written
- `rounding`: the one place where a number loses digits
- `_currencies`: the table of ISO 4217
- `money`: `Money` and `Currency`
"""
