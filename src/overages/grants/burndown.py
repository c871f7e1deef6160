"""Burndowns: the states of grants, the draws on them, and the usage that none of them covered.

    burndown = burn_down(grants, usage, metric="tokens", start=period.start, end=period.end)
    burndown.remaining["top-up"]                      # units left of a grant
    burndown.overage                                  # units that no grant covered
    burn_down(grants, later, start=burndown.closed(), end=...)

Its numbers are in units of the metric or, for money, in major units of the currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import optional_name
from overages._ground.parsing import Problems, optional, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, add_up, parse_non_negative_sum, scaled
from overages.amounts.money import Currency, parse_currency
from overages.errors import Field, InvalidValue
from overages.grants.grant import Unit
from overages.grants.state import Draw, GrantState
from overages.periods.period import parse_instant


def _parse_states(value: object, field: Field) -> tuple[GrantState, ...]:
    states = sorted(tuple_of(GrantState)(value, field), key=lambda state: state.grant_id)
    ids = [state.grant_id for state in states]
    if len(set(ids)) < len(ids):
        raise InvalidValue(field, ids, "must name each grant once")
    return tuple(states)


@value
class Burndown:
    """The states of grants at an instant, and how they came about: to report, and to go on from.

    For each grant and for all of them, ``granted = drawn + expired + voided + left``. Usage that no
    grant covered is `overage`, a number of its own: nothing left is ever negative.

    :param at: the instant, timezone-aware; kept in UTC. A grant that ends, refills or begins at it
        has done so; usage at it isn't counted yet.
    :param metric: the metric of the units, or the one that the money may pay for; None for any.
    :param currency: the currency of money, or its code; None for units of a metric.
    :param grants: the `GrantState` of each grant that was effective; kept sorted by id.
    :param overage: units, or money, that no grant covered.
    :param unreturned: negative usage beyond all that could be given back.
    :param draws: the `Draw` of each use of a grant, in order of time, less all that was given back.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed, such as draws of more than was drawn on
        their grant; `InvalidValues` for several.
    """

    at: datetime = term(parse_instant)
    metric: str | None = term(optional_name)
    currency: Currency | None = term(optional(parse_currency))
    grants: tuple[GrantState, ...] = term(_parse_states)
    overage: Quantity = term(parse_non_negative_sum)
    unreturned: Quantity = term(parse_non_negative_sum)
    draws: tuple[Draw, ...] = term(tuple_of(Draw))

    def __init__(
        self,
        at: datetime,
        metric: str | None = None,
        currency: Currency | str | None = None,
        grants: Iterable[GrantState] = (),
        overage: Quantity = 0,
        unreturned: Quantity = 0,
        draws: Iterable[Draw] = (),
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.metric is None and self.currency is None:
            problem = "must be given, or a currency, or both"
            problems.add(InvalidValue("metric", None, problem))
        drawn = {state.grant_id: scaled(state.drawn) for state in self.grants}
        before = self.draws[0].at if self.draws else self.at
        for i, draw in enumerate(self.draws):
            # Draws since the last closing are a part of all that were made since a grant was seen.
            drawn[draw.grant_id] = drawn.get(draw.grant_id, 0) - scaled(draw.quantity)
            if drawn[draw.grant_id] < 0:
                problem = "must be among the units drawn on its grant"
                problems.add(InvalidValue(("draws", i), draw, problem))
            if not before <= draw.at <= self.at:
                problem = "must be in order, and not after at"
                problems.add(InvalidValue(("draws", i, "at"), draw.at, problem))
            before = draw.at

    @property
    def unit(self) -> Unit:
        """Metric and currency: those of its grants."""
        return self.metric, self.currency

    @property
    def remaining(self) -> Mapping[str, Quantity]:
        """The units left of each grant that was effective, by id; can be read only."""
        return FrozenDict({state.grant_id: state.left for state in self.grants})

    @property
    def granted(self) -> Quantity:
        """All that was granted, since each grant was first seen."""
        return add_up(state.granted for state in self.grants)

    @property
    def drawn(self) -> Quantity:
        """All that was drawn on grants and not given back, since each was first seen."""
        return add_up(state.drawn for state in self.grants)

    @property
    def expired(self) -> Quantity:
        """All that was lost as grants expired or were refilled."""
        return add_up(state.expired for state in self.grants)

    @property
    def voided(self) -> Quantity:
        """All that was lost as grants were voided."""
        return add_up(state.voided for state in self.grants)

    @property
    def left(self) -> Quantity:
        """All that can still be drawn."""
        return add_up(state.left for state in self.grants)

    @property
    def covered(self) -> Quantity:
        """The usage that the draws cover: those since it was last closed."""
        return add_up(draw.covered for draw in self.draws)

    def closed(self) -> Burndown:
        """Return the burndown that the next period goes on from, once this one is billed.

        The units left stay. Draws and overage are in the bill: they start anew, and usage given
        back later reaches no draw of before.

        >>> from datetime import UTC, datetime
        >>> Burndown(datetime(2024, 2, 1, tzinfo=UTC), "tokens", overage=20).closed().overage
        0
        """
        if not (self.draws or self.overage or self.unreturned):
            return self
        # The states stay, for a grant is one over all periods: 0 <= drawn <= granted holds for it.
        return new_burndown(self.at, self.metric, self.currency, self.grants, 0, 0, ())


new_burndown: Final = trusted(Burndown)
"""Make a burndown of states in the order of their ids, and of the draws that they count."""
