"""Parts of a limit: where the units that cost nothing come from.

A limit is the sum of its parts, so that a statement can say how it came about:

    LimitPart("included", 500_000)
    LimitPart("carried", 20_000, name="2024-01-01")   # left over from January
    LimitPart("granted", 5_000, name="welcome")       # drawn on a grant
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Final, Literal, TypeAlias

from overages._ground.names import optional_name
from overages._ground.parsing import Problems, choice_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, QuantityLike, add_up, parse_quantity, plain_text
from overages.errors import InvalidValue

LimitPartKind: TypeAlias = Literal[
    "included", "own", "free", "carried", "granted", "borrowed", "used", "owed"
]
"""Where units that cost nothing come from, or how they were used up.

``"included"`` in the plan; the account's ``"own"`` limit instead; ``"free"`` by a discount;
``"carried"`` over from an earlier period; ``"granted"`` and drawn; ``"borrowed"`` from a later
period; and, negative, ``"used"`` earlier in the time that the limit is for, or ``"owed"`` to an
earlier period that borrowed.
"""

TAKING: Final = frozenset({"used", "owed"})
"""The kinds that take from a limit."""


@value
class LimitPart:
    """Units of a limit that come from one place.

    :param kind: where from; see `LimitPartKind`.
    :param quantity: units; negative where they lower the limit, and only there.
    :param name: which one it is, where there can be several: the grant's id, the period that the
        units were carried from.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.
    """

    kind: LimitPartKind = term(choice_of(LimitPartKind))
    quantity: Quantity = term(parse_quantity)
    name: str | None = term(optional_name)

    def __init__(
        self, kind: LimitPartKind, quantity: QuantityLike, name: str | None = None
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        takes = self.kind in TAKING
        if (self.quantity > 0) if takes else (self.quantity < 0):
            problem = f"must not be {'above zero' if takes else 'negative'}, as it is {self.kind}"
            problems.add(InvalidValue("quantity", self.quantity, problem))

    def explain(self) -> str:
        """Say in a few words where the units come from: ``carried 2024-01-01``."""
        return _WORDS[self.kind] + ("" if self.name is None else f" {self.name}")

    def cell(self) -> str:
        """Return the units as a statement's table shows them."""
        return plain_text(self.quantity)


def check_together(parts: Iterable[LimitPart], problems: Problems) -> None:
    """Tell of parts that no limit has together.

    A limit begins with the plan's included units or with the account's own limit, never both. Units
    used before, and units borrowed, are one number each, and so are the units of one grant. Several
    discounts can make units free, and units are carried from periods that may begin on one day.
    """
    seen: set[tuple[str, str | None]] = set()
    for place, part in enumerate(parts):
        group = _ALONE.get(part.kind)
        if group is None:
            continue
        key = (group, part.name if part.kind == "granted" else None)
        if key in seen:
            of = f" by {part.name!r}" if part.kind == "granted" else ""
            problem = f"must be given once in all ({group}{of})"
            problems.add(InvalidValue(("limit_parts", place, "kind"), part.kind, problem))
        seen.add(key)


def sum_of_parts(parts: Iterable[LimitPart]) -> Quantity:
    """Return the limit that parts come to."""
    return add_up(map(_quantity_of, parts))


_quantity_of: Final[Callable[[LimitPart], Quantity]] = attrgetter("quantity")


new_limit_part: Final = trusted(LimitPart)
"""Make a part of a quantity that was parsed or is a part of one, of the sign of its kind."""
_ALONE: Final = {  # of one word at most one part; of "granted", one for each grant
    "included": "included or own",
    "own": "included or own",
    "borrowed": "borrowed",
    "used": "used",
    "granted": "granted",
}
_WORDS: Final = {
    "included": "included",
    "own": "own limit",
    "free": "free",
    "carried": "carried over from",
    "granted": "granted by",
    "borrowed": "from the next allowance",
    "used": "used earlier",
    "owed": "used beforehand in",
}
