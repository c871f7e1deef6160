"""Decisions in JSON: the request for one, and every limit that stands for it.

decision_request(b'{"requested": {"tokens": 10}}', plan.allowances).request
decided(service.decide("org-123", {"tokens": 10}))["verdict"]    # "allow"
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from overages._ground.jsontext import BareNumber, entries, items
from overages._ground.parsing import Problems, choice_of, each
from overages.amounts.exact import Quantity, number_text
from overages.amounts.money import Money
from overages.errors import InvalidType, InvalidValue
from overages.exports.wire.keys import (
    Body,
    currency_body,
    in_keys,
    metric_key,
    metric_keys,
    period_body,
    wire_number,
)
from overages.exports.wire.requests import json_body
from overages.periods.period import format_instant
from overages.quotas.decision import Decision
from overages.quotas.request import OnPassing, Request, parse_request
from overages.quotas.standing_limit import Measure, StandingLimit
from overages.quotas.stops import StopAt
from overages.usage.usage import parse_quantities

_KEYS: Final = ("requested", "atLeast", "onPassing", "stopAt", "enforce")
_parse_on_passing: Final = choice_of(OnPassing)
_parse_stops: Final = each(choice_of(StopAt))


class DecisionRequest(NamedTuple):
    """A request for a decision.

    :param request: the units, and how a limit is passed.
    :param is_enforced: whether a denial is a failure.
    """

    request: Request
    is_enforced: bool


def decision_request(body: bytes | str, metrics: Iterable[str] = ()) -> DecisionRequest:
    """Read the body of a request for a decision.

    :param metrics: those of the org's plan, each of which may be named by its key in camel case.
    :raises InvalidType: if it is no object, or a part of it is of a wrong type.
    :raises InvalidValue: if it is not JSON, has another key, or a value that is not allowed;
        `InvalidValues` for several faults.

    >>> body = '{"requested": {"playbookRuns": 10}, "enforce": true}'
    >>> decision_request(body, ["playbook_runs"]).request.units
    {'playbook_runs': 10}
    """
    members, problems = json_body(body), Problems()
    for key in (key for key in members if key not in _KEYS):
        problem = f"is not known; the keys that are known are {', '.join(_KEYS)}"
        problems.add(InvalidValue((key,), members[key], problem))
    is_enforced = members.get("enforce", False)
    if not isinstance(is_enforced, bool):
        problems.add(InvalidType("enforce", is_enforced, "must be true or false"))
    if "requested" not in members:
        problems.add(InvalidValue("requested", None, "must be given: units by metric"))
    names = {key: metric for metric, key in metric_keys(metrics).items()}
    requested, at_least = (
        problems.attempt(_quantities, members.get(key, {}), key, names)
        for key in ("requested", "atLeast")
    )
    on_passing = problems.attempt(
        _parse_on_passing, members.get("onPassing", "reject"), "onPassing"
    )
    stop_at = problems.attempt(_stops, members.get("stopAt", []), "stopAt")
    problems.raise_any()
    try:
        request = parse_request(requested, at_least, on_passing, stop_at)
    except InvalidValue as error:  # each part is one by itself: the fewest don't go with the rest
        path = ("atLeast", *(metric_key(str(metric)) for metric in error.path[1:]))
        raise InvalidValue(path, error.value, error.problem) from None
    return DecisionRequest(request, bool(is_enforced))


def _quantities(value: object, field: str, names: Mapping[str, str]) -> dict[str, Quantity]:
    """Return units by metric; numbers are read digit by digit."""
    told = {
        key: repr(quantity) if isinstance(quantity, BareNumber) else quantity
        for key, quantity in entries(value, field).items()
    }
    quantities: dict[str, Quantity] = {}
    for key, quantity in parse_quantities(told, field).items():
        metric = names.get(key, key)
        if metric in quantities:
            raise InvalidValue((field, key), told[key], "must be given once")
        quantities[metric] = quantity
    return quantities


def _stops(value: object, field: str) -> tuple[StopAt, ...]:
    stops: tuple[StopAt, ...] = _parse_stops(items(value, field), field)
    return stops


def metrics_of(decision: Decision) -> list[str]:
    """Return the metrics that a decision names."""
    return [*decision.requested, *(limit.metric for limit in decision.limits if limit.metric)]


def decided(decision: Decision) -> Body:
    """Write a decision: money in minor units of `currency`, exact costs as texts in major ones."""
    metrics = metrics_of(decision)
    keys = metric_keys(metrics)
    cost, overage, by = decision.cost, decision.overage_cost, decision.decided_by
    return {
        "orgId": decision.org_id,
        "verdict": decision.verdict,
        "message": in_keys(decision.explain(), metrics),
        "requested": _by_key(decision.requested, keys),
        "granted": _by_key(decision.granted, keys),
        "cost": None if cost is None else wire_number(cost.minor),
        "overageCost": None if overage is None else wire_number(overage.minor),
        "exactCost": None if cost is None else number_text(decision.exact_cost),
        "exactOverageCost": None if cost is None else number_text(decision.exact_overage_cost),
        "currency": None if cost is None else currency_body(cost.currency),
        "limits": [_limit(limit, keys) for limit in decision.limits],
        "decidedBy": None if by is None else _limit(by, keys),
        "at": None if decision.at is None else format_instant(decision.at),
        "countedAt": None if decision.counted_at is None else format_instant(decision.counted_at),
    }


def _by_key(quantities: Mapping[str, Quantity], keys: Mapping[str, str]) -> Body:
    return {keys[metric]: wire_number(units) for metric, units in quantities.items()}


def _limit(limit: StandingLimit, keys: Mapping[str, str]) -> Body:
    money, period, resets_at = limit.limit, limit.period, limit.resets_at
    return {
        "kind": limit.kind,
        "metric": None if limit.metric is None else keys[limit.metric],
        "name": limit.name,
        **{name: _measure(getattr(limit, name)) for name in ("limit", "used", "held", "remaining")},
        "currency": currency_body(money.currency) if isinstance(money, Money) else None,
        "period": None if period is None else period_body(period),
        "resetsAt": None if resets_at is None else format_instant(resets_at),
        "stops": limit.stops,
    }


def _measure(measure: Measure) -> int | str:
    return wire_number(measure.minor if isinstance(measure, Money) else measure)
