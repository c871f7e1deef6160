"""Terms: the agreement of an org, rule by rule.

- `carry_over`: `CarryOver`: how unused units go to later periods
- `commitment`: `Commitment`: a spend that was agreed to
- `conversion`: `Conversion`: from units used to units priced
- `discount`: `Discount`: free units, percentages and amounts off
- `allowance`: `Allowance`: the terms of one metric in a plan
- `compiled`: consequences of a plan's allowances, worked out once
- `wording`: terms in words
- `plan`: `Plan`: an allowance for each metric, and rules for all
- `account`: `Account`: an org, and the plan that it is on
"""
