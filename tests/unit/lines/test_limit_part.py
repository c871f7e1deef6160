"""Parts of a limit: where units that cost nothing come from."""

from decimal import Decimal
from typing import Any

import pytest
from tests.told import told

from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.lines.limit_part import LimitPart


@pytest.mark.parametrize(
    ("part", "words", "cell"),
    [
        (LimitPart("included", 500_000), "included", "500,000"),
        (LimitPart("own", 600_000), "own limit", "600,000"),
        (LimitPart("free", "1.50", "welcome"), "free welcome", "1.5"),
        (LimitPart("carried", 20_000, "2024-01-01"), "carried over from 2024-01-01", "20,000"),
        (LimitPart("granted", 5_000, name="g1"), "granted by g1", "5,000"),
        (LimitPart("borrowed", 7), "from the next allowance", "7"),
        (LimitPart("used", -1_000), "used earlier", "-1,000"),
        (LimitPart("owed", Decimal(-5), "2024-01-01"), "used beforehand in 2024-01-01", "-5"),
    ],
)
def test_a_part_says_where_units_come_from(part: LimitPart, words: str, cell: str) -> None:
    assert (part.explain(), part.cell()) == (words, cell)


def test_its_quantity_has_one_form() -> None:
    found = {LimitPart("free", units) for units in ("5.0", Decimal("5.00"), 5)}
    assert [repr(part) for part in found] == ["LimitPart(kind='free', quantity=5)"]


@pytest.mark.parametrize("kind", ["included", "own", "free", "carried", "granted", "borrowed"])
def test_what_adds_to_a_limit_is_not_negative(kind: Any) -> None:
    with pytest.raises(InvalidValue, match=rf"^quantity: must not be negative, as it is {kind}, g"):
        LimitPart(kind, "-0.5")
    assert LimitPart(kind, 0).quantity == 0


@pytest.mark.parametrize("kind", ["used", "owed"])
def test_what_takes_from_a_limit_is_not_above_zero(kind: Any) -> None:
    with pytest.raises(InvalidValue, match=rf"^quantity: must not be above zero, as it is {kind}"):
        LimitPart(kind, 1)
    assert LimitPart(kind, -1).quantity == -1


def test_all_faults_are_reported() -> None:
    stolen: Any = "stolen"
    with pytest.raises(InvalidValues) as caught:
        LimitPart(stolen, "x", "")
    kinds = "included, own, free, carried, granted, borrowed, used, owed"
    assert told(caught.value) == (
        "3 problems:\n"
        f"- kind: must be one of {kinds}, got 'stolen'\n"
        "- quantity: must be a plain decimal number such as 12.5, got 'x'\n"
        "- name: must not be empty, got ''"
    )


def test_a_quantity_is_no_float() -> None:
    with pytest.raises(InvalidType, match=r"^quantity: must be an int, a Decimal or a decimal"):
        LimitPart("free", 0.5)  # type: ignore[arg-type]
