"""Grants: prepaid units or money, and what was drawn on them.

- `grant`: `Grant`: what was granted, from when to when
- `burndown`: `Burndown`: what was drawn, and what is left of each grant
- `drawn_grant`: a grant while it is drawn on
- `drawing`: `burn_down` and `draw`: which grant pays for what
"""
