"""The service: a repository, a clock and the pure functions, put together for a host.

- `period_inputs`: `PeriodInputs`: the inputs of a settlement, from what a repository keeps
- `overage_service`: `OverageService`: calculates, records and sums up the overage of orgs
"""
