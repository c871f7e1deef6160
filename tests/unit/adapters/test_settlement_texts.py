"""Settlements as closings keep them: all that they say, in one line, without their plans."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Discount,
    Grant,
    MemoryRepository,
    Money,
    Percentage,
    Period,
    PerUnit,
    Plan,
    Settlement,
    SqliteRepository,
    Usage,
    calculate,
    settle,
)
from overages._ground.jsontext import written
from overages.adapters import settlement_texts
from overages.adapters.settlement_texts import SettlementTexts, settlement_of
from overages.adapters.templates import SLOTS
from overages.codec import Codec, to_builtins
from overages.errors import InvalidType, OveragesError
from overages.prices.tier import Charge

MAR, CHANGE = Period.month(2024, 3), datetime(2024, 3, 12, tzinfo=UTC)
NOW = MAR.end


@dataclass(frozen=True)
class Doubled:
    """A host's own price model: each unit costs twice its price."""

    price: int

    def charge(self, quantity: Any, /) -> Charge:
        return PerUnit(self.price * 2).charge(quantity)


SMALL = Plan(
    "small",
    "USD",
    {"runs": Allowance(31, PerUnit(1)), "calls": Allowance(10, PerUnit("0.5"))},
    minimum=Money.of("500", "USD"),
)
LARGE = Plan(
    "large",
    "USD",
    {
        "runs": Allowance(310, PerUnit(2)),
        "calls": Allowance(10, PerUnit(1), carry_over=CarryOver()),
    },
    discounts=[Discount("tenth", percent=10)],
)
PLANS = {"small": SMALL, "large": LARGE}
"""In the order of their versions here: each is the only one of its slug."""


def settlements() -> dict[str, Settlement]:
    account = Account("org-1", "small", MAR.start, limits={"runs": 62})
    moved = account.changed(
        since=CHANGE, plan="large", discounts=[Discount("fair", percent=5)], status="trial"
    )
    parts = [Period(MAR.start, CHANGE), Period(CHANGE, MAR.end)]
    runs = [Usage("org-1", period, {"runs": 400, "calls": 7}) for period in parts]
    whole = Usage("org-1", MAR, {"runs": 800, "calls": 14})
    grants = [
        Grant("paid", Money.of("30", "USD"), effective_at=MAR.start),
        Grant("units", 20, metric="runs", effective_at=MAR.start),
        Grant("idle", 20, metric="seats", effective_at=MAR.start),
    ]
    return {
        "one part": settle(account, PLANS, MAR, whole),
        "two parts": settle(moved, PLANS, MAR, [whole, *runs]),
        "grants": settle(account, PLANS, MAR, whole, grants=grants),
        "carry-over": settle(Account("org-1", "large", MAR.start), PLANS, MAR, whole),
    }


SETTLEMENTS = settlements()


def version_of(plan: Plan) -> int:
    return {"small": 3, "large": 12}[plan.slug]


def get_plan(slug: str, version: int) -> Plan | None:
    return PLANS[slug] if (slug, version) in {("small", 3), ("large", 12)} else None


@pytest.mark.parametrize("kind", SETTLEMENTS)
def test_a_text_says_what_the_settlements_json_does_but_for_plans_and_balance(kind: str) -> None:
    settlement = SETTLEMENTS[kind]
    tree: Any = to_builtins(settlement)
    del tree["balance"]
    for part in [tree["statement"], *tree["statement"].get("earlier_parts", [])]:
        slug = part["plan"]["slug"]
        part["plan"] = {"slug": slug, "version": {"small": "3", "large": "12"}[slug]}
    text = SettlementTexts(Codec()).text(settlement, version_of)
    assert text == written(tree).decode()
    assert "\n" not in text


@pytest.mark.parametrize("kind", SETTLEMENTS)
def test_a_settlement_is_read_as_it_was(kind: str) -> None:
    settlement = SETTLEMENTS[kind]
    text = SettlementTexts(Codec()).text(settlement, version_of)
    assert settlement_of(text, settlement.balance, Codec(), get_plan) == settlement


def test_plans_are_asked_for_their_version_once_and_not_written() -> None:
    dear = Doubled(3)  # no codec here knows how to write it
    plan = Plan("small", "USD", {"runs": SMALL.allowances["runs"], "calls": Allowance(5, dear)})
    account = Account("org-1", "small", MAR.start).changed(since=CHANGE, limits={"runs": 5})
    parts = [Period(MAR.start, CHANGE), Period(CHANGE, MAR.end)]
    used = [Usage("org-1", period, {"runs": 400}) for period in parts]
    used.append(Usage("org-1", MAR, {"runs": 800}))
    asked: list[Plan] = []

    def first(wanted: Plan) -> int:
        asked.append(wanted)
        return 1

    settlement = settle(account, {"small": plan}, MAR, used)
    text = SettlementTexts(Codec()).text(settlement, first)
    assert len(settlement.statement.parts) == 2
    assert asked == [plan]
    assert settlement_of(text, settlement.balance, Codec(), lambda *_: plan) == settlement


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "{}", '{"statement":[]}', '{"statement":{}}', '{"statement":{"plan":1}}'),
        '{"statement":{"plan":{"slug":"small"}}}',
        '{"statement":{"plan":{"slug":1,"version":"3"}}}',
        '{"statement":{"plan":{"slug":"small","version":"x"}}}',
        '{"statement":{"plan":{"slug":"small","version":"4"}}}',
        f'{{"statement":{{"plan":{{"slug":"small","version":"{"3" * 5_000}"}}}}}}',
        '{"statement":{"plan":{"slug":"small","version":"3"}}}',
        '{"statement":{"plan":{"slug":"small","version":"3"},"earlier_parts":[1]}}',
        '{"statement":{"plan":{"slug":"small","version":"3"},"earlier_parts":{}}}',
    ],
)
def test_a_text_that_no_settlement_has_is_refused(text: str) -> None:
    with pytest.raises(OveragesError):
        settlement_of(text, SETTLEMENTS["one part"].balance, Codec(), get_plan)


def test_a_price_model_of_a_hosts_own_takes_its_codec_in_memory_as_in_sqlite() -> None:
    price = Doubled(3)
    plan = Plan("small", "USD", {"runs": Allowance(31, price)})
    account = Account("org-1", "small", MAR.start)
    settlement = settle(account, {"small": plan}, MAR, Usage("org-1", MAR, {"runs": 41}))
    assert settlement.statement.total == Money.of("60", "USD")
    with pytest.raises(InvalidType, match=r"price: .*price_models=\[\.\.\.\]"):
        MemoryRepository().close_period(settlement, closed_at=NOW)
    codec = Codec(price_models=[Doubled])
    memory = MemoryRepository(codec=codec)
    with SqliteRepository(":memory:", codec=codec) as sqlite:
        closings = [each.close_period(settlement, closed_at=NOW) for each in (memory, sqlite)]
        assert memory.settled("org-1", MAR) == sqlite.settled("org-1", MAR) == settlement
    assert closings[0] == closings[1]


def test_a_percentage_of_an_amount_is_read_as_it_was() -> None:
    plan = Plan("small", "USD", {"runs": Allowance(0, Percentage(3))})
    account = Account("org-1", "small", MAR.start)
    settlement = settle(account, {"small": plan}, MAR, Usage("org-1", MAR, {"runs": "41.5"}))
    text = SettlementTexts(Codec()).text(settlement, version_of)
    assert settlement_of(text, settlement.balance, Codec(), lambda *_: plan) == settlement


def plainly(plan: Plan, org_id: str = "org-1", used: int = 70) -> str:
    """Return the text of a plain settlement, which has to be as the codec writes the whole."""
    settlement = Settlement(
        calculate(plan, Usage(org_id, MAR, {next(iter(plan.allowances)): used})), Balance()
    )
    texts = SettlementTexts(Codec())
    text = texts.text(settlement, lambda _: 3)
    assert text == written(texts._tree(settlement, lambda _: 3)).decode()
    return text


@pytest.mark.parametrize("used", [70, 0, 5])
@pytest.mark.parametrize("included", [None, 10])
def test_a_plain_statement_is_filled_in_as_the_codec_writes_it(
    used: int, included: int | None
) -> None:
    plan = Plan("small", "USD", {"runs": Allowance(included, PerUnit("0.013"))})
    assert plainly(plan, 'Zo\u00eb "9" 100%', used) != plainly(plan, "b", used)


def test_names_that_look_like_places_to_fill_in_stay_as_they_are() -> None:
    for slug, metric in ((SLOTS[0], "runs"), ("small", SLOTS[3])):
        text = plainly(Plan(slug, "USD", {metric: Allowance(10, PerUnit(1))}))
        assert slug in text
        assert metric in text


def test_templates_are_thrown_away_before_they_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settlement_texts, "_MOST", 1)
    plan = Plan("small", "USD", {name: Allowance(10, PerUnit(1)) for name in ("runs", "calls")})
    used = Usage("org-1", MAR, {"runs": 70, "calls": 5})
    settlement = Settlement(calculate(plan, used), Balance())
    texts = SettlementTexts(Codec())
    first, second = (texts.text(settlement, version_of) for _ in range(2))
    assert first == second
    assert len(texts._lines) == 1
