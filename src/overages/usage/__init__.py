"""Usage: from events to quantities.

- `event`: `UsageEvent`: units used, at an instant; `EventColumns`: the terms of many
- `usage_batch`: `UsageBatch`: a lot of events that came together, and its content
- `usage`: `Usage`: the sums of events, by metric, in a period
- `event_sum`: `EventSum`: a count, a sum, the largest and the last of some events
- `put_sums`: sums that a host put for a span of time
- `increment`: `Increment`: steps that a quantity is rounded to
- `metric`: `Metric`: how a metric's events are counted
- `routing`: which metrics an event counts for
- `tally`: the running aggregate of events, in any order
- `event_ids`: which ids were seen, and what their events said
- `metering`: `Meter` and `meter`: usage of a stream of events
- `divided_usage`: `DividedUsage`: the usage of a period, and of times within it
"""
