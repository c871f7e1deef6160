"""The service: a repository, a clock and the pure functions, put together for a host.

- `watched_org`: `WatchedOrg`: an org with its alerts, and those that fired before
- `alert_watch`: `AlertWatch`: alerts are noted with the usage that reaches them
- `one_change`: `DeferredWatch`: calls that belong together, of which alerts see the outcome
- `base`: `ServiceBase`: the repository, the clock, the switch and the metrics of a service
- `usage_intake`: `UsageIntake`: events that are kept, and those that are refused
- `alert_subjects`: whether an org has the subject of an alert
- `alerting`: `Alerting`: who is told of which threshold, and when
- `capping`: `Capping`: budgets that stop charging, as the maximum of an org's terms
- `budgeting`: `Budgeting`: budgets that are put, dropped, and how far they are used up
- `quotas`: `Quotas`: decisions about usage to come, and units that are held for it
- `projecting`: `Forecasts`: the bill that an org's period should come to
- `overage_service`: `OverageService`: calculates, records and sums up the overage of orgs
"""
