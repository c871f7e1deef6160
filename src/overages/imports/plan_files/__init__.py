"""Files of plans: their tables, and the changes that they bring to a repository.

- `versions`: a plan, and since when it is in force
- `price_table`: allowances from a CSV of prices
- `toml`: terms as TOML writes them
- `tables`: tables laid over each other: versions, and plans that extend others
- `forms`: the form of a plan with its versions
- `checks`: the agreement of the parts of a file
- `changes`: a change that a file brings, as a line and as a deed
"""
