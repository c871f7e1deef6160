"""Usage: from events to quantities.

- `event`: `UsageEvent`: what was used, at an instant
- `usage`: `Usage`: what it comes to, by metric, in a period
- `increment`: `Increment`: steps that a quantity is rounded to
- `metric`: `Metric`: how a metric's events are counted
- `routing`: which metrics an event counts for
- `tally`: what events come to, in any order
- `metering`: `Meter` and `meter`: usage of a stream of events
"""
