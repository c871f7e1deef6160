"""Grants: prepaid units or money, and the draws on them.

- `grant`: `Grant`: units or money, from when to when
- `state`: `GrantState` and `Draw`: how much of a grant is drawn, expired, voided, left
- `burndown`: `Burndown`: the states of several grants, the draws on them, and the usage that none
  covered
- `drawn_grant`: one grant while it is drawn on, in picos
- `drawn_grants`: the grants of one unit, in one pass through time
- `draws`: `burn_down` and `draw`: which grant pays for which usage
"""
