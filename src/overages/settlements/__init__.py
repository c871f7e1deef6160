"""Settlements: from one period to the next, and one org to several.

- `carry_over_result`: `CarryOverResult`: an allowance with what earlier periods left
- `balance`: `Balance`: all that goes from one period to the next
- `grant_lines`: what grants take off a statement
- `settlement`: `settle`: a statement that knows of earlier periods
- `pool_share`: `PoolShare`: what one org owes of a line of a pool's statement
- `pooled_statement`: `pool`: one allowance for several orgs
"""
