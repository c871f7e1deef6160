"""Bookkeeping: the periods of an org, worked out from a repository and written back.

- `plans_in_force`: `PlansInForce`: the versions of plans that terms mean
- `usage_reader`: `UsageReader`: the usage of an org in a period and in times within it; `Holds`
- `read_period`: `ReadPeriod`: all that is kept of a period, to be settled with more units
- `period_inputs`: `PeriodInputs`: the inputs of a settlement, from a repository
- `settling`: `Settling`: an org's periods, each from the balance that the one before it left
- `staleness`: `Staleness`: recorded periods that come to something else now
- `opening`: the balance that an org brings along from another system
- `books`: `Books`: the records and closings of an org, brought up to date
- `ended_periods`: `EndedPeriods`: those of all orgs, closed some orgs at a time; `FreshPeriods`
"""
