"""The service: a repository, a clock and the pure functions, put together for a host.

- `plans_in_force`: `PlansInForce`: the versions of plans that terms mean
- `usage_reader`: `UsageReader`: the usage of an org in a period and in times within it
- `usage_intake`: `UsageIntake`: events that are kept, and those that are refused
- `period_inputs`: `PeriodInputs`: the inputs of a settlement, from a repository
- `closed_periods`: `ClosedPeriods`: the closings of an org, asked for one by one, or read at once
- `settling`: `Settling`: an org's periods, each from the balance that the one before it left
- `projecting`: `Projecting`: the bill that an org's period should come to
- `staleness`: `Staleness`: recorded periods that come to something else now
- `opening`: the balance that an org brings along from another system
- `books`: `Books`: the records and closings of an org, brought up to date
- `ended_periods`: `EndedPeriods`: those of all orgs, closed some orgs at a time
- `overage_service`: `OverageService`: calculates, records and sums up the overage of orgs
"""
