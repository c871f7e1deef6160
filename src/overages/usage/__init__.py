"""Usage: from events to quantities.

- `event`: `UsageEvent`: units used, at an instant
- `usage`: `Usage`: the sums of events, by metric, in a period
- `increment`: `Increment`: steps that a quantity is rounded to
- `metric`: `Metric`: how a metric's events are counted
- `routing`: which metrics an event counts for
- `tally`: the running aggregate of events, in any order
- `metering`: `Meter` and `meter`: usage of a stream of events
- `divided_usage`: `DividedUsage`: the usage of a period, told for times within it
"""
