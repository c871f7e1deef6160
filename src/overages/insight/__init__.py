"""Before the bill: decisions about usage to come, and what is told of it, by the values billed.

- `cost_curve`: the charge of one metric as its quantity grows
- `curves`: the curves of prices, of fees and of plans
- `inverse`: `quantity_within`: the units that an amount of money buys
- `break_even`: the quantities at which one plan is cheaper than another
- `comparison`: plans side by side over recorded usage, and which one to be on
- `history`: overage by org, metric and period, and how it grows
- `outlook`: `Outlook`: the units that are expected of each metric in the rest of a period
- `ends`: `Ends`: the usage that a period may end with, and when limits are passed
- `projection`: `project`: the bill of a period that isn't over, and how sure that is
"""
