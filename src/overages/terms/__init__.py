"""Terms: what was agreed, and who agreed to it.

- `carry_over`: `CarryOver`: what becomes of units that aren't used
- `commitment`: `Commitment`: a spend that was agreed to
- `conversion`: `Conversion`: from what was used to what is priced
- `discount`: `Discount`: free units, percentages and amounts off
- `allowance`: `Allowance`: what a plan says of one metric
- `compiled`: what a calculation asks of allowances, worked out once
- `wording`: terms in words
- `plan`: `Plan`: an allowance for each metric, and rules for all
- `account`: `Account`: an org, and the plan that it is on
"""
