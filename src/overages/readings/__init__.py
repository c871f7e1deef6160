"""Readings: the numbers of an org as its usage is now, which decisions and alerts go by.

- `window_charges`: `WindowCharges`: the money that usage in a window of a budget adds to a bill
- `quota_inputs`: `QuotaInputs`: the inputs of decisions on an org's present period
- `alert_times`: `AlertTimes`: the periods, and the windows of budgets, whose alerts are looked at
- `alert_numbers`: `AlertNumbers`: the numbers that alerts are compared with
"""
