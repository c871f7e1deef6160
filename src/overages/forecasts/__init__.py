"""Forecasts: the units that a period should come to, told from its days and those before it.

- `daily_usage`: `DailyUsage`: the units of a metric, day by day of a period
- `usage_days`: `UsageDays`: the days of all metrics of a period, from the usage that is kept
- `methods`: the ways to go on from the days that are over to those that are left
- `backtest`: `Backtest`: how far off each method would have been in earlier periods
- `forecast`: `forecast`: the units that a metric should come to, and how sure that is
"""
