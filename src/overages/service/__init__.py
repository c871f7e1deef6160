"""The service: a repository, a clock and the pure functions, put together for a host.

- `plans_in_force`: `PlansInForce`: the versions of plans that terms mean
- `usage_reader`: `UsageReader`: the usage of an org in a period and in times within it
- `usage_intake`: `UsageIntake`: events that are kept, and those that are refused
- `period_inputs`: `PeriodInputs`: the inputs of a settlement, from what a repository keeps
- `overage_service`: `OverageService`: calculates, records and sums up the overage of orgs
"""
