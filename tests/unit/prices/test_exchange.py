"""Prices in another unit than the currency, exchanged once."""

import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.told import told

from overages import (
    Allowance,
    Exchanged,
    Graduated,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Tier,
    TierCharge,
    Usage,
    calculate,
    charge_between,
)
from overages.codec import Codec
from overages.errors import FaultyPriceModel, InvalidType, InvalidValue, InvalidValues
from overages.prices.tier import Charge

CREDITS = Graduated([Tier(100, price=2, maximum=150), Tier(None, price=1, flat=5)])


class Wrong:
    """A host's own price model that gives no charge."""

    def charge(self, quantity: object, /) -> Any:
        return quantity


class Half:
    """A host's own price model whose charges have a rate of their own."""

    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(None, 1), quantity, exchange_rate=Decimal("0.5"))])


def test_a_cost_in_another_unit_is_exchanged_at_the_rate() -> None:
    price = Exchanged(CREDITS, rate="0.05")
    assert CREDITS.charge(120).exact_cost == 175
    assert price.charge(120).exact_cost == Decimal("8.75")
    assert price.charge("0").exact_cost == 0
    assert Exchanged(CREDITS, rate=1, per=3).charge(120).exact_cost == Fraction(175, 3)


def test_each_tier_keeps_its_part_in_both_units() -> None:
    charge = Exchanged(CREDITS, rate="0.05").charge(120)
    assert [part.exact_cost for part in charge.tiers] == [Decimal("7.5"), Decimal("1.25")]
    assert [part.uncapped_cost for part in charge.tiers] == [Decimal(10), Decimal("1.25")]
    assert [part.explain() for part in charge.tiers] == [
        "up to 100: 100 x 2, at most 150, at a rate of 0.05",
        "above 100: 20 x 1 + 5 flat, at a rate of 0.05",
    ]


def test_a_unit_price_is_in_the_currency() -> None:
    assert Exchanged(PerUnit(3), rate="0.5").charge(7).unit_price == Decimal("1.5")
    assert Exchanged(CREDITS, rate="0.5").charge(120).unit_price is None


def test_a_line_of_a_statement_is_rounded_once_after_the_exchange() -> None:
    plan = Plan("p", "EUR", {"calls": Allowance(0, Exchanged(PerUnit("0.3"), rate="0.017"))})
    statement = calculate(plan, Usage("org-1", Period.month(2024, 2), {"calls": 1}))
    assert (statement["calls"].exact_cost, statement.total.minor) == (Decimal("0.0051"), 1)


def test_steps_come_to_the_same_as_all_at_once() -> None:
    price = Exchanged(CREDITS, rate=1, per=7)
    steps = [charge_between(price, a, b) for a, b in [(0, 60), (60, 130), (130, 200)]]
    assert sum((Fraction(step) for step in steps), Fraction()) == charge_between(price, 0, 200)


def test_the_rate_of_a_hosts_own_charge_is_kept() -> None:
    (part,) = Exchanged(Half(), rate=3).charge(2).tiers
    assert (part.exchange_rate, part.exact_cost) == (Decimal("1.5"), Decimal(3))


def test_a_hosts_own_price_model_must_give_a_charge() -> None:
    with pytest.raises(FaultyPriceModel, match=r"^price\.charge\(\): must return a Charge, got 5$"):
        Exchanged(Wrong(), rate=1).charge(5)


def test_a_faulty_model_within_an_exchanged_one_is_named_by_its_path() -> None:
    plan = Plan("p", "EUR", {"calls": Allowance(0, Exchanged(Wrong(), rate=1))})
    with pytest.raises(FaultyPriceModel) as caught:
        calculate(plan, Usage("org-1", Period.month(2024, 2), {"calls": 5}))
    assert caught.value.path == ("calls", "price", "price", "charge()")


@pytest.mark.parametrize(("quantity", "error"), [(-1, InvalidValue), (1.0, InvalidType)])
def test_what_is_no_quantity_has_no_price(quantity: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^quantity: must "):
        Exchanged(CREDITS, rate=1).charge(quantity)


def test_many_faults_are_reported_together() -> None:
    bad: Any = {"price": "1", "rate": 0, "per": 0.5}
    with pytest.raises(InvalidValues) as caught:
        Exchanged(**bad)
    assert told(caught.value) == (
        "3 problems:\n"
        "- price: must be a price model such as PerUnit('1'), got '1'\n"
        "- rate: must be more than zero, got 0\n"
        "- per: must be an int, a Decimal or a decimal string, got 0.5"
    )


def test_what_is_exchanged_already_is_not_exchanged_again() -> None:
    with pytest.raises(InvalidType, match=r"^price: must be in the other unit, not exchanged alr"):
        Exchanged(Exchanged(CREDITS, rate=1), rate=1)


def test_it_is_a_price_model_and_a_value() -> None:
    price = Exchanged(CREDITS, rate="0.50")
    assert isinstance(price, PriceModel)
    assert len({price, Exchanged(CREDITS, Decimal("0.5")), pickle.loads(pickle.dumps(price))}) == 1
    assert price != Exchanged(CREDITS, rate="0.5", per=2)


def test_its_name_is_taken_in_a_codec() -> None:
    taken = type("Exchanged", (Half,), {"__match_args__": ()})
    with pytest.raises(InvalidValue, match="must have a name that no other class has"):
        Codec(price_models=[taken])


def test_a_text_of_a_price_that_is_exchanged_twice_is_refused() -> None:
    text = Codec().encode(Exchanged(PerUnit(2), 3)).decode()
    inner = text.replace(',"version":"1"', "")
    twice = text.replace('{"price":"2","type":"PerUnit"}', inner)
    with pytest.raises(InvalidValue, match=r"^price\.type: must be one of .*, got 'Exchanged'$"):
        Codec().decode(twice, Exchanged)
