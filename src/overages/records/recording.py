"""Recordings: the records of a period, and those that recording a statement added.

recording = repository.record(statement, created_at=now)
recording.new                                     # the records that it added, if any
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from overages._ground.display import html_table
from overages._ground.parsing import instance_of, optional, parse_flag, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import plain_text
from overages.amounts.money import new_money
from overages.lines.adjustment import shown_line
from overages.periods.period import Period
from overages.records.record import OverageRecord

_RECORD_COLUMNS: Final = ["revision", "metric", "over", "unit price", "exact", "cost"]
RECORD_ALIGN: Final = "llrrrr"


@value
class Recording:
    """The records of a statement's period, and those of them that recording it added.

    :param records: all records of the statement's org and period, in the order of recording.
    :param new: those of them that this recording added; none if nothing changed.
    :param is_stale: whether the period is closed and comes to something else now, which wasn't
        recorded, as that takes force.
    :param stale_next: the period after it, if that was recorded and comes to something else now.
    """

    records: tuple[OverageRecord, ...] = term(tuple_of(OverageRecord))
    new: tuple[OverageRecord, ...] = term(tuple_of(OverageRecord))
    is_stale: bool = term(parse_flag)
    stale_next: Period | None = term(optional(instance_of(Period)))

    def __init__(
        self,
        records: Iterable[OverageRecord],
        new: Iterable[OverageRecord],
        is_stale: bool = False,
        stale_next: Period | None = None,
    ) -> None: ...

    def _repr_html_(self) -> str:
        if not self.records:
            return html_table([_RECORD_COLUMNS], RECORD_ALIGN, "No records")
        org_id, period = self.records[0].org_id, self.records[0].period
        title = f"Records of {org_id}, {period.describe()}; new: {len(self.new):,}"
        return html_table(record_table(self.records), RECORD_ALIGN, title)


new_recording: Final = trusted(Recording)


def record_table(records: Sequence[OverageRecord]) -> list[list[str]]:
    """Return the rows of a table of records, at least one, in one currency, with their total."""
    rows = [
        [
            str(record.revision),
            shown_line((record.metric, record.line)),
            plain_text(record.quantity),
            "" if record.unit_price is None else plain_text(record.unit_price),
            plain_text(record.exact_cost),
            str(record.cost),
        ]
        for record in records
    ]
    total = sum(record.cost.minor for record in records)
    unit = records[0].cost.currency
    return [_RECORD_COLUMNS, *rows, ["total", "", "", "", "", str(new_money(total, unit))]]
