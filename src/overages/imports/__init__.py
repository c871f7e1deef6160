"""Imports: plans from TOML or a billing table, usage events from CSV in many layouts, and Arrow.

- `plan_files`: the parts of a file of plans
- `usage_files`: the parts of a file of usage
- `arrays`: arrays of pyarrow, of integers and texts
- `frames`: tables of other libraries, over Arrow
- `arrow`: events, usage and records from them
- `events`: usage events from CSV
- `event_sums`: sums of many events, over Arrow
- `plans`: plans, metrics, accounts and grants from TOML
- `stored_plans`: the plans of a repository that such a file can name, beside its own
- `entries`: what the entries of its accounts name and drop, compared with what there is
- `warnings`: the budgets and alerts of such a file, compared with the terms of orgs
- `applying`: the content of such a file, put into a repository
- `monthly_fields`: a plan from the columns of a billing table
"""
