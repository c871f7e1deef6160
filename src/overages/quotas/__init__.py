"""Quotas: whether usage to come is within all limits, and units that are held for it.

- `quota_facts`: `QuotaFacts`: all that the decisions on most orgs follow from, by a `QuotaQuestion`
- `standing_limit`: `StandingLimit`: a limit, and how far it is used up
- `decision`: `Decision`: whether units may be used, their cost, and every limit that stands
- `position`: how a period stands with more units, as it is billed
- `stops`: the limits of a request, each with its measure of a position
- `request`: `Request`: units that are asked for, and how
- `plain_decision`: of flat plans, where all units may be used: a few integers
- `deciding`: `decide`: from a plan, usage and a request to a decision
- `reservation`: `Reservation`: units that are held until an instant, then used or given back
"""
