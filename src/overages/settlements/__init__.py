"""Settlements: from one period to the next, and one org to several.

- `carry_over_result`: `carry_over`: allowances with the units that earlier periods left
- `balance`: `Balance`: all that goes from one period to the next
- `windows`: units of allowances that are for longer than a period
- `grant_lines`: the units and the money that grants take off a statement
- `settlement`: `settle`: a statement that knows of earlier periods
- `pool_share`: `PoolShare`: the part of a pool's line that one org owes
- `pooled_statement`: `pool`: one allowance for several orgs
"""
