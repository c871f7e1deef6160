"""Statements: the charges of a period, line by line.

- `limit_part`: `LimitPart`: where units of a limit come from
- `part`: `StatementPart`: a time in which the same terms hold, and its share of a period
- `limits`: how many units of a metric cost nothing, part by part
- `adjustment`: `Adjustment`: a line that is no overage
- `overage`: `Overage`: the line of a metric
- `adjusting`: discounts, commitments, maximums, minimums, in their order
- `rating`: from usage to lines, where terms say more than a quantity and a price
- `rule_audit`: whether adjustments follow from the plan's rules
- `audit`: whether lines follow from the plan
- `summary`: `Summary`: quantity and cost by metric
- `statement`: `Statement`: the lines that say something, and their total
- `calculation`: `calculate` and its kin
"""
