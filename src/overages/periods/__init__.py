"""Periods: all that is time.

- `period`: instants, and `Period`, a span of them
- `timezones`: the zones in which a calendar day begins
- `boundaries`: the instants that a cycle's periods start at, counted from its anchor
- `cycle`: `Cycle`: which periods follow each other
- `proration`: `Proration`: how much of a period a part of it is
"""
