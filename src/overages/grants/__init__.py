"""Grants: prepaid units or money, and what was drawn on them.

- `grant`: `Grant`: what was granted, from when to when
- `state`: `GrantState` and `Draw`: what became of a grant
- `burndown`: `Burndown`: the states of several grants, what drew on them, and what none covered
- `drawn_grants`: grants while they are drawn on, in picos
- `draws`: `burn_down` and `draw`: which grant pays for what
"""
