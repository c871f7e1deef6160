"""Thresholds, and the crossings of them."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import Money, Threshold, crossings
from overages.alerts.crossing import Crossing
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue, InvalidValues

EIGHTY = Threshold(percent=80)
HUNDREDS = Threshold(cost=Money.of("100", "USD"), repeat=True)


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


class TestThreshold:
    def test_the_direction_follows_from_the_number_that_is_compared(self) -> None:
        directions = [Threshold(percent=10, of=of).direction for of in ("used", "remaining")]
        assert directions == ["rising", "falling"]
        assert Threshold(percent=10, of="overage", direction="falling").direction == "falling"

    def test_equal_thresholds_are_equal(self) -> None:
        assert Threshold(percent="80.0") == EIGHTY == Threshold(percent=80, direction="rising")
        assert repr(Threshold(quantity=5, of="remaining", direction="rising")) == (
            "Threshold(quantity=5, of='remaining', direction='rising')"
        )

    @pytest.mark.parametrize(
        ("terms", "problem"),
        [
            ({}, "percent: must be given, or quantity or cost"),
            ({"percent": 8, "quantity": 8}, "quantity: must be left out, as percent is given"),
            ({"percent": 0}, "percent: must be more than zero, which any number has reached"),
            ({"quantity": 0, "of": "overage"}, "quantity: must be more than zero"),
            ({"cost": Money(0, "USD")}, "cost: must be more than zero"),
            ({"cost": 5}, "cost: must be"),
            ({"percent": -1}, "percent: must not be negative"),
            ({"percent": 0.8}, "percent: must be an int"),
            ({"percent": 8, "of": "usd"}, "of: must be one of used, remaining, overage"),
            ({"quantity": 5, "of": "remaining", "repeat": True}, "repeat: must be False where"),
        ],
    )
    def test_what_is_no_threshold_is_refused(self, terms: dict[str, Any], problem: str) -> None:
        with pytest.raises((InvalidValue, InvalidType), match=f"^{problem}"):
            Threshold(**terms)

    def test_all_faults_are_told_together(self) -> None:
        with pytest.raises(InvalidValues, match="2 problems"):
            Threshold(percent=-1, of="left")  # type: ignore[arg-type]

    def test_zero_may_be_fallen_to(self) -> None:
        empty = Threshold(quantity=0, of="remaining")
        assert [empty.steps(used, 50) for used in (49, 50, 51)] == [0, 1, 1]

    @pytest.mark.parametrize(
        ("threshold", "limit", "level", "place"),
        [
            (EIGHTY, 50, Decimal(40), 40),
            (Threshold(percent="33.3", of="remaining"), 50, Decimal("16.65"), Decimal("33.35")),
            (Threshold(percent=10, of="overage"), 50, Decimal(5), 55),
            (Threshold(quantity=7), None, Decimal(7), 7),
            (EIGHTY, usd("0.99"), Decimal("0.792"), Decimal("0.792")),
        ],
    )
    def test_a_level_is_exact(
        self, threshold: Threshold, limit: Any, level: Decimal, place: Any
    ) -> None:
        assert threshold.level(limit) == level
        assert threshold.place(limit) == Fraction(place)

    def test_a_number_that_lands_on_it_has_reached_it(self) -> None:
        assert [EIGHTY.steps(used, 50) for used in (39, "39.999", 40, 41)] == [0, 0, 1, 1]  # type: ignore[arg-type]

    def test_units_of_less_than_none_have_reached_nothing(self) -> None:
        assert EIGHTY.steps(-80, 50) == 0
        assert HUNDREDS.steps(usd("-250"), None) == 0

    @pytest.mark.parametrize(
        ("threshold", "limit", "reason"),
        [
            (EIGHTY, None, "unlimited"),
            (EIGHTY, 0, "nothing_included"),
            (EIGHTY, usd("0"), "nothing_included"),
            (EIGHTY, 1, None),
            (Threshold(quantity=5), None, None),
            (Threshold(quantity=5), 0, None),
            (Threshold(quantity=5, of="remaining"), None, "unlimited"),
            (Threshold(quantity=5, of="remaining"), 0, "nothing_included"),
            (Threshold(quantity=5, of="overage"), None, "unlimited"),
            (Threshold(quantity=5, of="overage"), 0, None),
            (Threshold(percent=5, of="overage"), 0, "nothing_included"),
            (HUNDREDS, None, None),
        ],
    )
    def test_a_threshold_that_no_number_can_reach_says_why(
        self, threshold: Threshold, limit: Any, reason: str | None
    ) -> None:
        assert threshold.undecided(limit) == reason
        if reason is not None:
            assert threshold.steps(10**9, limit) == 0

    @pytest.mark.parametrize(
        ("threshold", "text"),
        [
            (EIGHTY, "80 % used"),
            (Threshold(quantity=1_000, of="overage"), "1,000 overage"),
            (Threshold(percent=10, of="remaining", direction="rising"), "10 % remaining (rising)"),
            (HUNDREDS, "each further 100.00 USD used"),
        ],
    )
    def test_it_is_explained(self, threshold: Threshold, text: str) -> None:
        assert threshold.explain() == text

    def test_a_step_is_explained_as_the_number_that_it_is_reached_at(self) -> None:
        assert HUNDREDS.explain(step=12) == "1,200.00 USD used"
        assert Threshold(percent=50, repeat=True).explain(step=3) == "150 % used"


class TestCrossings:
    def test_those_that_are_reached_come_in_the_order_of_passing(self) -> None:
        thresholds = [
            Threshold(percent=100),
            Threshold(quantity=20, of="remaining"),
            Threshold(quantity=1, of="overage"),
            EIGHTY,
            Threshold(quantity=99),
        ]
        passed = crossings(0, 101, 100, thresholds)
        assert [(each.threshold, each.level) for each in passed.reached] == [
            (thresholds[1], Decimal(20)),
            (EIGHTY, Decimal(80)),
            (thresholds[4], Decimal(99)),
            (thresholds[0], Decimal(100)),
            (thresholds[2], Decimal(1)),
        ]
        back = crossings(101, 0, 100, thresholds)
        assert [each.threshold for each in back.cleared][:3] == [thresholds[i] for i in (2, 0, 4)]
        assert {each.threshold for each in back.cleared[3:]} == {EIGHTY, thresholds[1]}
        assert back.reached == ()

    def test_a_threshold_is_passed_by_landing_on_it_and_not_by_leaving_it_upwards(self) -> None:
        assert crossings(39, 40, 50, [EIGHTY]).reached == (Crossing(EIGHTY, 1, Decimal(40)),)
        assert crossings(40, 41, 50, [EIGHTY]).reached == ()
        assert crossings(40, 39, 50, [EIGHTY]).cleared == (Crossing(EIGHTY, 1, Decimal(40)),)

    def test_the_first_number_of_a_period_is_compared_with_zero(self) -> None:
        assert crossings(None, 45, 50, [EIGHTY]) == crossings(0, 45, 50, [EIGHTY])
        assert crossings(None, usd("40"), usd("50"), [EIGHTY]).reached[0].level == 40

    def test_each_further_step_is_passed(self) -> None:
        passed = crossings(usd("99.99"), usd("300"), None, [HUNDREDS])
        assert [(step, level) for _, step, level in passed.reached] == [
            (1, Decimal(100)),
            (2, Decimal(200)),
            (3, Decimal(300)),
        ]
        back = crossings(usd("300"), usd("150"), None, [HUNDREDS])
        assert [step for _, step, _ in back.cleared] == [3, 2]

    def test_of_very_many_steps_the_last_are_told(self) -> None:
        passed = crossings(0, 10**25, None, [Threshold(quantity=1, repeat=True)])
        assert len(passed.reached) == 100
        assert passed.reached[-1].step == 10**25

    def test_a_falling_threshold_is_reached_as_numbers_fall(self) -> None:
        few = Threshold(quantity=3, direction="falling")
        assert crossings(5, 3, None, [few]).reached == (Crossing(few, 1, Decimal(3)),)
        assert crossings(3, 5, None, [few]).cleared == (Crossing(few, 1, Decimal(3)),)
        assert crossings(None, 2, None, [few]) == ((), (), ())

    def test_those_that_cannot_be_passed_are_told_as_well(self) -> None:
        passed = crossings(0, 9, 0, [EIGHTY, Threshold(quantity=5)])
        assert passed.undecided == ((EIGHTY, "nothing_included"),)
        assert [each.threshold.quantity for each in passed.reached] == [5]

    @pytest.mark.parametrize(
        ("before", "after", "limit", "threshold", "error", "problem"),
        [
            (0, usd("5"), None, HUNDREDS, InvalidType, "before: must be of the kind"),
            (None, 5, usd("5"), EIGHTY, InvalidType, "limit: must be of the kind"),
            (None, 5, None, HUNDREDS, InvalidType, "after: must be Money, as the threshold is"),
            (None, usd("5"), None, Threshold(quantity=5), InvalidType, "after: must be units"),
            (None, Money(5, "EUR"), None, HUNDREDS, CurrencyMismatch, "after: USD and EUR"),
            (Money(5, "EUR"), usd("5"), None, EIGHTY, CurrencyMismatch, "before: USD and EUR"),
            (None, "5,0", None, EIGHTY, InvalidValue, "after: must be a plain decimal number"),
            (None, 0.5, None, EIGHTY, InvalidType, "after: must be an int or a Decimal"),
        ],
    )
    def test_numbers_of_several_kinds_are_refused(
        self, before: Any, after: Any, limit: Any, threshold: Threshold, error: Any, problem: str
    ) -> None:
        with pytest.raises(error, match=f"^{problem}"):
            crossings(before, after, limit, [threshold])

    def test_numbers_may_be_texts(self) -> None:
        assert crossings("0", "40.0", "50", [EIGHTY]).reached[0].level == 40
