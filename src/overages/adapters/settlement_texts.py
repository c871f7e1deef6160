"""Texts of settlements, as closings keep them: JSON, which refers to plans by slug and version.

An org has a closing for each of its periods, and all of them, as all orgs, have few plans. The
balance isn't in the text: it stands beside it.

    texts = SettlementTexts(codec)
    text = texts.text(settlement, version_of)         # {"statement": {"plan": {"slug": ...
    settlement_of(text, balance, codec, get_plan) == settlement
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeVar

from overages._ground.jsontext import entries, items, parsed, written
from overages._ground.parsing import instance_of
from overages._ground.trusted import trusted
from overages.adapters.templates import LONGEST, SLOTS, quoted, template_of
from overages.amounts.exact import number_from_ratio, number_text
from overages.amounts.money import Currency, new_money
from overages.codec import Codec, encode
from overages.errors import InvalidValue, OveragesError
from overages.lines.overage import LineNumbers, overage_of
from overages.lines.part import UNDIVIDED, StatementPart
from overages.periods.period import Period
from overages.prices.exact_cost import added_cost
from overages.prices.models import PerUnit
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.settlement import Settlement
from overages.statements.statement import Statement, new_statement
from overages.terms.plan import Plan

K = TypeVar("K")
V = TypeVar("V")

_LONGEST_VERSION: Final = 19  # digits: more are no integer of a database's
_MOST: Final = 1_024  # templates that are held

_new_settlement: Final = trusted(Settlement)


class SettlementTexts:
    """Writes settlements as texts.

    Most orgs have a plan of few lines that each cost the same for each unit. The text of such a
    statement is one that the codec wrote once, with other numbers in it: a fiftieth of the time.

    :param codec: the codec that writes the values in them.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._lines: dict[tuple[int, bool, bool], tuple[object, str | None]] = {}
        self._statements: dict[tuple[int, int], tuple[object, str | None]] = {}

    def text(self, settlement: Settlement, version_of: Callable[[Plan], int]) -> str:
        """Write a settlement in one line; equal ones have equal texts.

        :param version_of: gives the version of a plan.
        """
        if _is_plain(settlement):
            try:
                plain = self._plain_text(settlement.statement, version_of)
            except OveragesError:  # which the whole names with its path
                plain = None
            if plain is not None:
                return plain
        return written(self._tree(settlement, version_of), LONGEST).decode()

    def _tree(self, settlement: Settlement, version_of: Callable[[Plan], int]) -> dict[str, Any]:
        tree: dict[str, Any] = self._codec.to_builtins(_without_plans(settlement))
        del tree["balance"]
        statement = tree["statement"]
        trees = [*statement.get("earlier_parts", ()), statement]
        versions: dict[int, int] = {}  # by the plan's identity: a long one takes a second to write
        for each, part in zip(trees, settlement.statement.parts, strict=True):
            plan = part.plan
            if id(plan) not in versions:
                versions[id(plan)] = version_of(plan)
            each["plan"] = {"slug": plan.slug, "version": str(versions[id(plan)])}
        return tree

    # Plain statements: of one part, with no line but overages

    def _plain_text(self, statement: Statement, version_of: Callable[[Plan], int]) -> str | None:
        plan, period = statement.plan, statement.period
        version = version_of(plan)
        held = self._statements.get((id(plan), version))
        if held is None:
            held = plan, self._statement_template(plan, period, version)
            _hold(self._statements, (id(plan), version), held)
        _, template = held
        if template is None:
            return None
        lines = ",".join([self._line_text(row, plan) for row in statement.rows])
        total = _amount_text(statement.minor, plan.currency)
        return template % (lines, quoted(statement.org_id)[1:-1], _period_text(period), total)

    def _statement_template(self, plan: Plan, period: Period, version: int) -> str | None:
        bare = new_statement("-", period, plan, (), (), 0, (), UNDIVIDED)
        tree = self._tree(_new_settlement(bare, EMPTY_BALANCE, {}, (), ()), lambda _: version)
        statement = tree["statement"]
        statement["lines"], statement["org_id"], statement["period"] = SLOTS[:3]
        statement["total"]["amount"] = SLOTS[3]
        template = template_of(tree, 4)
        return None if template is None else template.replace('"lines":"%s"', '"lines":[%s]', 1)

    def _line_text(self, row: LineNumbers, plan: Plan) -> str:
        line, used, limit, over, minor, before, parts, part = row
        price = line.allowance.price
        # At one price for each unit, nothing differs but these numbers.
        if type(price) is not PerUnit or before is not None or parts or part is not None:
            return self._written_line(row, plan)
        key = (id(line), limit is None, over == 0)
        held = self._lines.get(key)
        if held is None:
            held = line, self._line_template(row, plan)
            _hold(self._lines, key, held)
        _, template = held
        if template is None:
            return self._written_line(row, plan)
        exact, units = "0", number_text(over)
        if over:
            exact = number_text(number_from_ratio(*added_cost(price, None, over)))
        amount = _amount_text(minor, plan.currency)
        limits = () if limit is None else (number_text(limit),)
        tiers = (exact, units) if over else ()
        return template % (amount, exact, *limits, units, *tiers, number_text(used))

    def _line_template(self, row: LineNumbers, plan: Plan) -> str | None:
        """Return the format of a line: amount, exact cost, limit, units, its tier's, units used."""
        tree = self._codec.to_builtins(overage_of(row, plan.currency))
        places = [(tree["cost"], "amount"), (tree, "exact_cost")]
        places += [(tree, "limit")] if row[2] is not None else []
        places += [(tree, "quantity")]
        places += [(tier, key) for tier in tree["tiers"] for key in ("exact_cost", "quantity")]
        places += [(tree, "used")]
        for slot, (held, key) in zip(SLOTS, places, strict=False):
            held[key] = slot
        return template_of(tree, len(places))

    def _written_line(self, row: LineNumbers, plan: Plan) -> str:
        overage = overage_of(row, plan.currency)
        return written(self._codec.to_builtins(overage), LONGEST).decode()


def balance_text(balance: Balance) -> str:
    """Write a balance in one line; most orgs have nothing that goes on."""
    if balance is EMPTY_BALANCE or balance == EMPTY_BALANCE:
        return _EMPTY
    return encode(balance, most_bytes=LONGEST).decode()


_EMPTY: Final = encode(EMPTY_BALANCE).decode()


def _is_plain(settlement: Settlement) -> bool:
    """Tell whether a settlement is a statement of overages in one part, and nothing beside it."""
    statement = settlement.statement
    return (
        statement.division is UNDIVIDED
        and not statement.adjustments
        and not statement.unused_rows
        and not (settlement.carry_overs or settlement.burndowns or settlement.idle_grants)
    )


@lru_cache(maxsize=1024)
def _amount_text(minor: int, currency: Currency) -> str:
    return f"{new_money(minor, currency).amount:f}"


_period_text: Final = lru_cache(maxsize=1024)(Period.isoformat)


def _hold(templates: dict[K, V], key: K, template: V) -> None:
    """Hold a template; all are thrown away before they are too many."""
    if len(templates) >= _MOST:
        templates.clear()
    templates[key] = template


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
    :raises OveragesError: if it is no text that `SettlementTexts` wrote.
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
