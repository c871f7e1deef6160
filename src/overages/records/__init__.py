"""Records: charges as they are kept, append-only, and the proof of them.

- `record`: `OverageRecord`: a line of a statement as it is kept
- `changes`: the differences between a statement and its period's records
- `chain`: digests, which show that no record or closing is missing or altered
- `closing`: `Closing`: the end of a period, with the balance that it leaves
- `recording`: `Recording`: the records of a period, and those that recording added
- `revision`: `Revision`: the records that a statement adds, as rows, and as objects if asked for
- `ledger`: `Ledger`: takes statements in, one revision after another
- `aggregation`: `aggregate`: a summary of records
"""
