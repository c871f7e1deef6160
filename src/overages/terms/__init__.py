"""Terms: the agreement of an org, rule by rule.

- `carry_over`: `CarryOver`: how unused units go to later periods
- `commitment`: `Commitment`: a spend that was agreed to
- `conversion`: `Conversion`: from units used to units priced
- `discount`: `Discount`: free units, percentages and amounts off
- `allowance`: `Allowance`: the terms of one metric in a plan
- `compiled`: consequences of a plan's allowances, worked out once
- `plan`: `Plan`: an allowance for each metric, and rules for all
- `terms`: `Terms`: what an org has agreed to, for a time; `OwnTerms`: its discounts and bounds
- `change`: `TermsChange`: an entry of an account's history
- `timeline`: which terms hold at each instant, and the periods that follow
- `account`: `Account`: an org, and the history of its terms
- `note`: `AccountNote`: when, by whom and why an entry was noted
"""
