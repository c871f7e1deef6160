"""Statements: the charges of a period, as lines that add up.

- `summary`: `Summary`: quantity and cost by metric
- `recordable_line`: `RecordableLine`: a line as recording keeps it
- `explanation`: a table of the lines, with a title and a footnote
- `picture`: the usage of each metric against its limit, as bars
- `spans`: the times of a period in which a metric's own terms are the same
- `statement`: `Statement`: the lines that say something, and their total
- `limit_now`: `LimitNow`: units used of a metric, and all that may be used now without overage
- `flat_lines`: the lines of metrics with an included quantity and a price, and nothing else
- `rated_statement`: the statement of a period whose terms say more than quantities and prices
- `calculation`: `calculate` and its kin
"""
