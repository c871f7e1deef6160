"""Statements: what is due for a period, line by line.

- `limit_part`: `LimitPart`: where a limit comes from
- `overage`: `Overage`: the line of a metric
- `adjustment`: `Adjustment`: a line that is no overage
- `summary`: `Summary`: what lines come to, by metric
- `statement`: `Statement`: all lines, and their total
- `adjusting`: discounts, commitments, maximums, minimums, in their order
- `rating`: from usage to lines, where terms say more than a quantity and a price
- `calculation`: `calculate` and its kin
- `segments`: a period in which the plan changes
"""
