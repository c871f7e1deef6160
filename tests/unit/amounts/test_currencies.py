"""The currency table: current codes as ISO 4217 has them, withdrawn ones as they were."""

import re

import pytest

from overages.amounts._currencies import CURRENT, WITHDRAWN

TABLES = [pytest.param(CURRENT, id="current"), pytest.param(WITHDRAWN, id="withdrawn")]


def test_current_codes_are_exactly_those_of_iso_4217_that_have_a_minor_unit() -> None:
    iso4217 = pytest.importorskip("iso4217")
    published = {
        currency.code: currency.exponent
        for currency in iso4217.Currency
        if currency.exponent is not None
    }
    assert published == CURRENT


def test_no_withdrawn_code_is_a_code_of_iso_4217_today() -> None:
    iso4217 = pytest.importorskip("iso4217")
    assert WITHDRAWN.keys().isdisjoint(currency.code for currency in iso4217.Currency)


def test_no_code_is_both_current_and_withdrawn() -> None:
    assert CURRENT.keys().isdisjoint(WITHDRAWN)


@pytest.mark.parametrize("table", TABLES)
def test_every_code_is_three_ascii_capitals(table: dict[str, int]) -> None:
    assert [code for code in table if not re.fullmatch("[A-Z]{3}", code)] == []


@pytest.mark.parametrize("table", TABLES)
def test_every_exponent_is_0_2_3_or_4(table: dict[str, int]) -> None:
    assert {code: exp for code, exp in table.items() if exp not in {0, 2, 3, 4}} == {}


@pytest.mark.parametrize("table", TABLES)
def test_every_exponent_is_a_plain_int(table: dict[str, int]) -> None:
    assert {type(exponent) for exponent in table.values()} == {int}


@pytest.mark.parametrize("table", TABLES)
def test_codes_are_in_alphabetical_order(table: dict[str, int]) -> None:
    assert list(table) == sorted(table)


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("USD", 2),
        ("EUR", 2),
        ("GBP", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("ISK", 0),
        ("HUF", 2),
        ("KWD", 3),
        ("TND", 3),
        ("CLF", 4),
        ("UYW", 4),
    ],
)
def test_well_known_current_codes_have_their_exponent(code: str, exponent: int) -> None:
    assert CURRENT[code] == exponent


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("DEM", 2),
        ("FRF", 2),
        ("NLG", 2),
        ("ATS", 2),
        ("ITL", 0),
        ("ESP", 0),
        ("PTE", 0),
        ("BEF", 0),
        ("LUF", 0),
        ("GRD", 0),
        ("TPE", 0),
        ("TRL", 0),
        ("BYR", 0),
        ("YDD", 3),
        ("ANG", 2),
        ("BGN", 2),
        ("CUC", 2),
        ("EEK", 2),
        ("HRK", 2),
        ("LTL", 2),
        ("LVL", 2),
        ("MRO", 2),
        ("SKK", 2),
        ("SLL", 2),
        ("STD", 2),
        ("VEF", 2),
        ("ZWL", 2),
    ],
)
def test_well_known_withdrawn_codes_keep_the_exponent_they_had(code: str, exponent: int) -> None:
    assert WITHDRAWN[code] == exponent


@pytest.mark.parametrize("code", ["XAU", "XAG", "XDR", "XTS", "XXX", "XEU", "XFO", "XFU", "XRE"])
def test_codes_without_a_minor_unit_are_left_out(code: str) -> None:
    assert code not in CURRENT
    assert code not in WITHDRAWN
