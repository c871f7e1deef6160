"""Periods: all that is time.

- `period`: instants, and `Period`, a span of them
- `timezones`: the zones in which a calendar day begins
- `cycle`: `Cycle`: which periods follow each other
- `daycount`: `Proration`: how long a part of a period is
- `proration`: what a part of a period comes to
"""
