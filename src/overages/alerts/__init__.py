"""Alerts: who is to be told of usage that nears a limit, of a cost, of a trial that ends.

- `threshold`: `Threshold`: a number of usage, of units that are left, or of money
- `crossing`: `crossings`: the thresholds that usage passes, from one number to the next
- `alert`: `Alert`: a threshold, or a trial or a grant that ends, that someone is told of
- `messages`: the sentence that tells a person of a threshold
- `fired_alert`: `FiredAlert`: an alert that was reached, or is no longer
- `alert_history`: `AlertHistory`: those that fired before, found by alert, period and step
- `firing`: alerts that fire, or are cleared, by a number and by those that fired before
- `occasions`: the instants that alerts are about: trials and grants that end, other plans
- `alert_summary`: `AlertSummary`: how many stand now, by severity, and how many nobody has seen
"""
