"""Grants: prepaid units or money, and the draws on them.

- `grant`: `Grant`: units or money, from when to when
- `state`: `GrantState` and `Draw`: how much of a grant is drawn, expired, voided, left
- `burndown`: `Burndown`: the states of several grants, the draws on them, and the usage that none
  covered
- `drawn_grants`: grants while they are drawn on, in picos
- `draws`: `burn_down` and `draw`: which grant pays for which usage
"""
