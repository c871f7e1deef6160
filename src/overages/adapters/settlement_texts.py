"""Texts of settlements, as closings keep them: JSON, which refers to plans by slug and version.

An org has a closing for each of its periods, and all of them, as all orgs, have few plans. The
balance isn't in the text: it stands beside it.

    text = settlement_text(settlement, codec, version_of)   # {"statement": {"plan": {"slug": ...
    settlement_of(text, balance, codec, get_plan) == settlement
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from overages._ground.jsontext import entries, items, parsed, written
from overages._ground.parsing import instance_of
from overages._ground.trusted import trusted
from overages.codec import Codec
from overages.errors import InvalidValue
from overages.lines.part import StatementPart
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.settlement import Settlement
from overages.statements.statement import new_statement
from overages.terms.plan import Plan

LONGEST: Final = 10**9
"""Bytes of a text whose parts were checked."""
_LONGEST_VERSION: Final = 19  # digits: more are no integer of a database's

_new_settlement: Final = trusted(Settlement)


def settlement_text(settlement: Settlement, codec: Codec, version_of: Callable[[Plan], int]) -> str:
    """Write a settlement in one line; equal ones have equal texts.

    :param version_of: gives the version of a plan.
    """
    tree: dict[str, Any] = codec.to_builtins(_without_plans(settlement))
    del tree["balance"]
    statement = tree["statement"]
    trees = [*statement.get("earlier_parts", ()), statement]
    versions: dict[int, int] = {}  # by the plan's identity: a long one takes a second to write
    for each, part in zip(trees, settlement.statement.parts, strict=True):
        plan = part.plan
        if id(plan) not in versions:
            versions[id(plan)] = version_of(plan)
        each["plan"] = {"slug": plan.slug, "version": str(versions[id(plan)])}
    return written(tree, LONGEST).decode()


def _without_plans(settlement: Settlement) -> Settlement:
    """Return a settlement that is written as it is, but for plans and balance, which are empty.

    A plan of 10,000 metrics takes a second to write, and the statement's lines hold all of it that
    they need. It is no lawful value: its lines don't follow from its plan.
    """
    statement = settlement.statement
    earlier = tuple(
        StatementPart(part.period, _empty(part.plan), part.own) for part in statement.earlier_parts
    )
    bare = new_statement(
        statement.org_id,
        statement.period,
        _empty(statement.plan),
        statement.rows,
        statement.unused_rows,
        statement.minor,
        statement.adjustments,
        statement.division._replace(earlier_parts=earlier),
    )
    others = settlement.carry_overs, settlement.burndowns, settlement.idle_grants
    return _new_settlement(bare, EMPTY_BALANCE, *others)


def _empty(plan: Plan) -> Plan:
    return Plan(plan.slug, plan.currency, {})


def settlement_of(
    text: str, balance: Balance, codec: Codec, get_plan: Callable[[str, int], Plan | None]
) -> Settlement:
    """Return the settlement of a text and the balance beside it.

    :param get_plan: gives a plan by slug and version; None if there is none.
    :raises OveragesError: if it is no text that `settlement_text` wrote.
    """

    def plan_of(value: object) -> Plan:
        reference = entries(value, "plan")
        slug, version = (instance_of(str)(reference.get(key), key) for key in ("slug", "version"))
        is_number = version.isdecimal() and len(version) < _LONGEST_VERSION
        plan = get_plan(slug, int(version)) if is_number else None
        if plan is None:
            raise InvalidValue("plan", reference, "must be a plan that is kept")
        return plan

    tree = entries(parsed(text, LONGEST), "settlement")
    statement = entries(tree.get("statement"), ("settlement", "statement"))
    for each in [statement, *items(statement.get("earlier_parts", []), "earlier_parts")]:
        part = entries(each, "earlier_parts")
        part["plan"] = plan_of(part.get("plan"))
    return codec.from_builtins({**tree, "balance": balance}, Settlement)
