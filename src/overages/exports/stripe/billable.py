"""Billable records: those that an invoice may take up.

A period that is still open is recorded anew as it goes on, and would put an item on the invoice for
each night. So an invoice takes the records of closed periods, with all later corrections:

    records = billable_records(repository, "org-123")
    export.attach_to_upcoming_invoice(records)
"""

from __future__ import annotations

from overages._ground.parsing import parse_flag
from overages.records.record import OverageRecord
from overages.repository import Repository


def billable_records(
    repository: Repository, org_id: str, *, open_periods: bool = False
) -> tuple[OverageRecord, ...]:
    """Return an org's records of closed periods, corrections included, in the order of recording.

    :param open_periods: whether those of open periods come too, as far as they have come. A charge
        for a time that is no period of the org's any more (its billing day has moved) is among
        them, with the record that takes it back.

    >>> from overages import MemoryRepository
    >>> billable_records(MemoryRepository(), "org-123")
    ()
    """
    is_open = parse_flag(open_periods, "open_periods")
    with repository.snapshot():
        closed = repository.closed_periods(org_id)
        records = repository.records(org_id)
    return tuple(record for record in records if is_open or record.period in closed)
