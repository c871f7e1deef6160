"""Insight: all that can be said of a bill before it is due.

- `outlook`: `Outlook`: the units that are expected of each metric in the rest of a period
- `ends`: `Ends`: the usage that a period may end with, and when limits are passed
- `projection`: `project`: the bill of a period that isn't over, and how sure that is
"""
