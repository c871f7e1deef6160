"""Requests: units that are asked for, the fewest that are accepted, and what stops them.

parse_request({"runs": 10}, at_least={"runs": 5}, stop_at=["limit"]).units
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Final, Literal, NamedTuple, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages._ground.jsontext import written
from overages._ground.names import by_metric
from overages._ground.parsing import choice_of, each, parse_all
from overages.amounts.exact import Quantity, QuantityLike, number_text, parse_non_negative
from overages.errors import InvalidValue
from overages.quotas.position import More
from overages.quotas.stops import StopAt
from overages.usage.usage import parse_quantities

OnPassing: TypeAlias = Literal["reject", "clamp", "cross"]
"""The answer to a request that would pass a limit.

``"reject"`` denies all of it; ``"clamp"`` grants as many as fit; ``"cross"`` grants all of it, as
long as something was left before.
"""

NO_UNITS: Final[Mapping[str, Quantity]] = FrozenDict()
"""No units of any metric."""


class Request(NamedTuple):
    """Units that are asked for, and how.

    :param fewest: by metric, the fewest that are accepted where not all may be used.
    """

    units: Mapping[str, Quantity]
    fewest: Mapping[str, Quantity]
    on_passing: OnPassing
    stop_at: Collection[StopAt]

    @property
    def fingerprint(self) -> str:
        """A text that tells the request from others."""
        units = [sorted((m, number_text(n)) for m, n in each.items()) for each in self[:2]]
        text = written([*units, self.on_passing, sorted(set(self.stop_at))])
        return sha256(text).hexdigest()

    @property
    def least(self) -> dict[str, Quantity]:
        """The fewest of each metric that are accepted."""
        by_rule: More = NO_UNITS if self.on_passing == "clamp" else self.units
        return {m: self.fewest.get(m, by_rule.get(m, 0)) for m in self.units}


_parse_fewest: Final = by_metric(parse_non_negative, "metrics to quantities")
_parse_on_passing: Final = choice_of(OnPassing)
_parse_stop_at: Final = each(choice_of(StopAt))


def parse_request(
    requested: Mapping[str, QuantityLike],
    at_least: Mapping[str, QuantityLike] = NO_UNITS,
    on_passing: OnPassing = "reject",
    stop_at: Iterable[StopAt] = (),
) -> Request:
    """Return a request of checked parts; `decide` has the meaning of each.

    :raises InvalidValue: if fewer are accepted of a metric that isn't requested, or more than are;
        or where the request may cross a limit whole; `InvalidValues` for several faults.
    """
    if at_least is NO_UNITS and on_passing == "reject" and stop_at == ():  # as most are
        return Request(parse_quantities(requested, "requested"), NO_UNITS, on_passing, ())
    request = Request(
        *parse_all(
            (parse_quantities, requested, "requested"),
            (_parse_fewest, at_least, "at_least"),
            (_parse_on_passing, on_passing, "on_passing"),
            (_parse_stop_at, stop_at, "stop_at"),
        )
    )
    for metric, fewest in request.fewest.items():
        most = request.units.get(metric)
        if most is None or fewest > most:
            problem = "must be of a metric that is requested, and at most as many"
            raise InvalidValue(("at_least", metric), fewest, problem)
    if request.fewest and request.on_passing == "cross":
        problem = "must be empty where a request may cross a limit, for that is granted whole"
        raise InvalidValue("at_least", dict(request.fewest), problem)
    return request
