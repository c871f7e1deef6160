"""Lines: the charges of a metric and the adjustments of a total, before they make a statement.

- `limit_part`: `LimitPart`: where units of a limit come from
- `part`: `StatementPart`: a time in which the same terms hold, and its share of a period
- `limits`: how many units of a metric cost nothing, part by part
- `adjustment`: `Adjustment`: a line that is no overage
- `overage`: `Overage`: the line of a metric
- `rule`: `Rule`: a discount, commitment, maximum or minimum, with its worth in each part
- `adjusting`: from the total of lines to the amount due, rule by rule in one order
- `rating`: from usage to a line, where terms say more than a quantity and a price
- `rated_lines`: the lines of all metrics, rounded, and the rules that adjust their totals
- `rule_audit`: whether adjustments follow from the plan's rules
- `line_terms`: `LineTerms`: the terms that a line follows from, and what contradicts them
- `audit`: whether lines follow from the plan
"""
