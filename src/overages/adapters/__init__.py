"""Repositories: in memory, and in SQLite.

- `journal`: `Journal`: changes to dictionaries and lists, by which they can be taken back
- `held`: `Hold`: all that is kept of many orgs, read at once, and what is written of them at once
- `event_texts`: texts of events, and the seal of those that a closed period had counted
- `templates`: texts of objects of one class, laid out once
- `settlement_texts`: texts of settlements, as closings keep them
- `storage`: `Storage`: the primitives that a repository is built on, and an adapter writes
- `catalogue`: `Catalogue`: plans in force, accounts, and grants
- `held_sums`: the sums of events by hour and by day that are held ready
- `metered`: `MeteredUsage`: events, their sums, and the sums that hosts put
- `alerts`: `Alerts`: definitions by version, and entries of those that fired
- `budgets`: `Budgets`: of each id, the last entry stands
- `reservations`: `Reservations`: append-only facts, of which each ends once
- `quotas`: `Quotas`: the facts that decisions follow from, read at once
- `batches`: `Batches`: which events came together, and the content of each lot
- `closings`: `Closings`: a final statement, its records and its balance, kept at once
- `base`: `BaseRepository`: the checks, and the rules that are not storage
- `memory_usage`: `MemoryUsage`: usage in memory
- `memory`: `MemoryRepository`: the reference that other adapters are held to
- `sqlite`: `SqliteRepository` and its kin: in files of their own, or in a host's database
- `outbox`: `MemoryOutbox`: an outbox in memory
- `pydantic`: values in models of pydantic, and so in FastAPI
"""
