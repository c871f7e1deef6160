"""Settlements: from one period to the next, and one org to several.

- `balance`: `Balance`: all that goes from one period to the next
- `carrying`: what a carry-over leaves
- `covering`: what grants take off a statement
- `settlement`: `settle`: a statement that knows of earlier periods
- `sharing`: what each org owes of a pool's statement
- `pooling`: `pool`: one allowance for several orgs
"""
