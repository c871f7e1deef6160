"""Columns: tables of usage to tables of lines, exactly, some hundred thousand orgs in a second.

- `steps`: the prices of a plan, as columns of integers
- `decimals`: columns of decimals, of integers at a scale
- `lines`: `calculate_table`: from a table of usage to one of lines
"""
