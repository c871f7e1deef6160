"""Settlements: from one period to the next, and one org to several.

- `fates`: the parts of an allowance that a period draws, repays, loses, and leaves
- `carry_over_result`: `carry_over`: allowances with the units that earlier periods left
- `balance`: `Balance`: all that goes from one period to the next
- `inputs`: whether the inputs of a settlement go together, and the parts of its period
- `grant_lines`: the units and the money that grants take off a statement
- `metric_settlement`: the lines of one metric, and all that they leave for later
- `settled_metrics`: the lines of all metrics of a period, and what each leaves
- `settlement`: `settle`: a statement that knows of earlier periods
- `standing`: `standing`: a period with its grants as they are at an instant
- `grant_corrections`: draws of a closed period anew, as later ones take them into account
- `span_statement`: the statement of a time within a period, without what is due once in it
- `pooled_statement`: `pool`: one allowance for several orgs
"""
