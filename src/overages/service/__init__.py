"""The service: a repository, a clock and the pure functions, put together for a host.

- `base`: `ServiceBase`: the repository, the clock, the switch and the metrics of a service
- `usage_intake`: `UsageIntake`: events that are kept, and those that are refused
- `projecting`: `Projecting`: the bill that an org's period should come to
- `overage_service`: `OverageService`: calculates, records and sums up the overage of orgs
"""
