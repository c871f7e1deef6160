"""A model of grants that shares no code with the library: hour by hour, and unit by unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from overages import Grant

HOUR = timedelta(hours=1)


@dataclass
class Held:
    """A grant, with the units that it has at an hour."""

    grant: Grant
    left: int = 0
    granted: int = 0
    lost: int = 0
    filled: int | None = None  # the hour

    def is_over(self, now: datetime) -> bool:
        """Return whether it has expired or was voided."""
        ends = [self.grant.expires_at, self.grant.voided_at]
        return any(end is not None and end <= now for end in ends)

    def cut(self, most: int) -> None:
        """Lose what is left beyond so many units."""
        while self.left > most:
            self.left -= 1
            self.lost += 1

    def fill(self, hour: int, units: int) -> None:
        """Get units."""
        self.left += units
        self.granted += units
        self.filled = hour


@dataclass
class GrantModel:
    """Grants of whole units, in a time in which everything happens at a full hour."""

    grants: Iterable[Grant]
    rule: str
    start: datetime
    overage: int = 0
    unreturned: int = 0
    drawn: list[tuple[Held, int]] = field(default_factory=list)  # each unit, with the hour

    def __post_init__(self) -> None:
        self.in_order = [Held(grant) for grant in self.grants]
        self.in_order.sort(key=lambda one: one.grant.id)
        self.in_order.sort(key=lambda one: one.grant.created_at or one.grant.effective_at)
        never = datetime.max.replace(tzinfo=self.start.tzinfo)
        self.in_order.sort(key=lambda one: one.grant.expires_at or never)
        self.in_order.sort(key=lambda one: one.grant.priority)

    @property
    def held(self) -> dict[str, tuple[int, int, int]]:
        """What was granted and lost, and what is left, of each grant that was effective."""
        known = [one for one in self.in_order if one.filled is not None]
        return {one.grant.id: (one.granted, one.lost, one.left) for one in known}

    def cross(self, hour: int) -> None:
        """Do what happens at an hour before anything is used."""
        now = self.start + hour * HOUR
        known = [one for one in self.in_order if one.filled is not None]
        for one in known:
            one.cut(0 if one.is_over(now) else one.left)
        lasting = [one for one in known if not one.is_over(now)]
        for one in lasting:
            cycle, keeps = one.grant.recurrence, one.grant.refill_keeps
            if hour and cycle is not None and cycle.period_at(now).start == now:
                one.cut(one.left if keeps is None else int(keeps))
                one.fill(hour, int(one.grant.units))
        for one in self.in_order:
            if one.filled is None and one.grant.effective_at <= now and not one.is_over(now):
                one.fill(hour, int(one.grant.units))
        if self.rule != "final":
            owed, self.overage = self.overage, 0
            self.use(hour, owed)

    def use(self, hour: int, units: int) -> None:
        """Use units, or give them back if they are negative."""
        for _ in range(units):
            self.use_one(hour)
        for _ in range(-units):
            self.give_back_one(hour)

    def use_one(self, hour: int) -> None:
        """Draw a unit on the first grant that has one left."""
        for one in self.in_order:
            if one.left:
                one.left -= 1
                self.drawn.append((one, hour))
                return
        self.overage += 1

    def give_back_one(self, hour: int) -> None:
        """Take back a unit of overage, or the one that was drawn last."""
        if self.overage:
            self.overage -= 1
        elif self.drawn:
            one, when = self.drawn.pop()
            if one.is_over(self.start + hour * HOUR) or when < (one.filled or 0):
                one.lost += 1
            else:
                one.left += 1
        else:
            self.unreturned += 1
