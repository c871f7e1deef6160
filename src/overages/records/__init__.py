"""Records: what was charged, append-only, and the proof of it.

- `record`: `OverageRecord`: a line of a statement as it is kept
- `changes`: what a statement differs in from what was recorded
- `chain`: digests, which show that no record is missing or altered
- `ledger`: `Ledger`: what a statement adds to the records
- `aggregation`: `aggregate`: a summary of records
"""
