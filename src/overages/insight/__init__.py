"""Before the bill: all that is told of usage to come, by the values that are billed.

- `budget`: `Budget`: money or units that an org means not to pass, and what happens if it does
- `cost_curve`: the charge of one metric as its quantity grows
- `curves`: the curves of prices, of fees and of plans
- `inverse`: `quantity_within`: the units that an amount of money buys
- `break_even`: the quantities at which one plan is cheaper than another
- `pictures`: the costs of plans by quantity, and where one becomes cheaper
- `comparison`: plans side by side over recorded usage, and which one to be on
- `history`: overage by org, metric and period, and how it grows
- `outlook`: `Outlook`: the units that are expected of each metric in the rest of a period
- `ends`: `Ends`: the usage that a period may end with, and when limits are passed
- `expected_bars`: a bar for each metric of a projection
- `projection`: `project`: the bill of a period that isn't over, and how sure that is
"""
