"""Periods: all that is time.

- `period`: instants, and `Period`, a span of them
- `timezones`: the zones in which a calendar day begins
- `cycle`: `Cycle`: which periods follow each other
- `proration`: `Proration`: how much of a period a part of it is
"""
