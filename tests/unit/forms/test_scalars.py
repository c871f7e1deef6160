"""Numbers, instants and periods: what can be read, and the one spelling that a text may have."""

from decimal import Decimal
from typing import Any

import pytest
from tests.texts import EVENT_TEXT, FEBRUARY, RECORD_TEXT, USAGE_TEXT, faults

from overages import Allowance, Cycle, Money, PerUnit, Tier, UsageEvent
from overages.codec import decode, from_builtins
from overages.errors import InvalidType, InvalidValue


@pytest.mark.parametrize(
    "spelling",
    [
        ".5", "5.", "1e", "e5", "1_000e1", "\uff11e5", "1_0", " 1", "1 ", "", "-", "NaN",
        "Infinity", "1,5", "\u0661",
        "1/2", "0x1", "--1",
    ],
)  # fmt: skip
def test_what_is_no_plain_number_is_refused(spelling: str) -> None:
    (found,) = faults(EVENT_TEXT.replace('"-0.5"', f'"{spelling}"'))
    assert found.startswith("quantity: must be a plain decimal number such as 12.5, got ")


@pytest.mark.parametrize(
    ("spelling", "number"),
    [
        ("1.0", "1"), ("+1", "1"), ("01", "1"), ("-0", "0"), ("-01", "-1"), ("0.50", "0.5"),
        ("00", "0"), ("-0.0", "0"), ("0.0", "0"), ("-01.50", "-1.5"),
        ("1.5e-07", "0.00000015"), ("15E-8", "0.00000015"), ("1e3", "1000"), ("-5e-1", "-0.5"),
    ],
)  # fmt: skip
def test_a_number_has_one_spelling_in_a_text(spelling: str, number: str) -> None:
    (found,) = faults(EVENT_TEXT.replace('"-0.5"', f'"{spelling}"'))
    assert found == f'quantity: must be "{number}", got {spelling!r}'


@pytest.mark.parametrize("bare", ["5", "-0.5", "1e5", "NaN", "-Infinity", "true", "{}", "null"])
def test_a_number_is_a_string(bare: str) -> None:
    with pytest.raises(InvalidType, match=r"^quantity: must be a plain decimal number .* in a str"):
        decode(EVENT_TEXT.replace('"-0.5"', bare), UsageEvent)


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("2/6", "must be \"1/3\", got '2/6'"),
        ("1/2", "must be \"0.5\", got '1/2'"),
        ("4/1", "must be \"4\", got '4/1'"),
        ("0/3", "must be \"0\", got '0/3'"),
        ("1/03", "must be \"1/3\", got '1/03'"),
        ("1.0", "must be \"1\", got '1.0'"),
        ("1/0", "must be a plain number such as 12.5 or 7/60, got '1/0'"),
        ("1/-3", "must be a plain number such as 12.5 or 7/60, got '1/-3'"),
        ("0.5/3", "must be a plain number such as 12.5 or 7/60, got '0.5/3'"),
        ("1e-3", "must be \"0.001\", got '1e-3'"),
        ("1e999999999", "must have at most 1000 digits on a side, got '1e9"),
        ("1e2/3", "must be a plain number such as 12.5 or 7/60, got '1e2/3'"),
        (f"1/{'3' * 1001}", "must have at most 1000 digits on a side, got 1/333"),
        (f"1/{'3' * 2001}", "must be a plain number such as 12.5 or 7/60, got '1/333"),
    ],
)
def test_a_fraction_is_reduced_and_stands_where_no_decimal_is_exact(
    spelling: str, message: str
) -> None:
    (found,) = faults(RECORD_TEXT.replace("-7/60", spelling))
    assert found.startswith(f"exact_cost: {message}")


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("2024-02-03T04:05:06+00:00", 'must be "2024-02-03T04:05:06Z", got \'2024-02-03T'),
        ("2024-02-03T04:05:06.70Z", 'must be "2024-02-03T04:05:06.700000Z", got '),
        ("2024-02-03T04:05:06.0000001Z", 'must be "2024-02-03T04:05:06Z", got '),
        ("2024-02-03 04:05:06Z", 'must be "2024-02-03T04:05:06Z", got '),
        ("2024-02-03T04:05Z", 'must be "2024-02-03T04:05:00Z", got '),
        ("2024-02-03T04:05:06", "must have a timezone, such as a Z at its end, got "),
        ("2024-02-30T04:05:06Z", "must be a real date and time (day "),
        ("0001-01-01T00:00:00+01:00", "must be within the years 1 to 9999 in UTC, got "),
        ("soon", "must be an ISO 8601 time such as 2024-02-01T12:30:00Z, got 'soon'"),
    ],
)
def test_an_instant_has_one_spelling(spelling: str, message: str) -> None:
    (found,) = faults(EVENT_TEXT.replace("2024-02-03T04:05:06.000700Z", spelling))
    assert found.startswith(f"at: {message}")


@pytest.mark.parametrize(
    ("tree", "value"),
    [
        ({"up_to": 5, "price": Decimal("0.50")}, Tier(5, "0.5")),
        ({"up_to": "5e0", "price": "1.5e-07"}, Tier(5, "0.00000015")),
        ({"up_to": "+5.0", "price": "00.50", "flat": "0", "size": None}, Tier(5, "0.5")),
        ({"anchor": FEBRUARY.start, "every": 2}, Cycle(FEBRUARY.start, 2)),
        ({"anchor": "2024-02-01 01:00+01:00", "every": "02.0"}, Cycle(FEBRUARY.start, 2)),
        ({"amount": "-5", "currency": "USD"}, Money(-500, "USD")),
        (FEBRUARY, FEBRUARY),
        ("2024-02-01T00:00Z/2024-03-01T00:00Z", FEBRUARY),
        (Tier(None, 5), Tier(None, 5)),
        ({"included": 5, "price": PerUnit(1)}, Allowance(5, PerUnit(1))),
    ],
)
def test_builtins_may_be_written_otherwise_than_a_text(tree: Any, value: Any) -> None:
    assert from_builtins(tree, type(value)) == value


@pytest.mark.parametrize(
    ("tree", "kind", "message"),
    [
        ({"up_to": 0.5}, Tier, "up_to: must be a plain decimal number such as 12.5, in a str"),
        ({"up_to": True}, Tier, "up_to: must be a plain decimal number such as 12.5, in a str"),
        (
            {"up_to": "1e999999999"},
            Tier,
            "up_to: must have at most 1000 digits on a side",
        ),
        ({"anchor": FEBRUARY.start, "every": "2.5"}, Cycle, "every: must be a whole number"),
        ({"anchor": 5}, Cycle, "anchor: must be a datetime, got 5"),
        ({"amount": "0.005", "currency": "USD"}, Money, "amount: must have at most 2 decimal"),
        (5, Tier, "value: must be a mapping, got 5"),
    ],
)
def test_builtins_are_no_less_lawful(tree: Any, kind: type, message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue)) as caught:
        from_builtins(tree, kind, "" if isinstance(tree, dict) else "value")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("spelling", "messages"),
    [
        ("2024-02", ["period: must be a start and an end with a slash between, got '2024-02'"]),
        (
            "2024/2025",
            ["period.start: must be an ISO 8601 time", "period.end: must be an ISO 8601"],
        ),
        (
            "2024-02-01T00:00:00Z/2024-02-01T00:00:00Z",
            ["period.end: must be later than the start, 2024-02-01T00:00:00Z, got "],
        ),
        (
            "2024-02-01T00:00:00Z/2024-03-01T00:00:00.0Z",
            ['period: must be "2024-02-01T00:00:00Z/2024-03-01T'],
        ),
    ],
)
def test_a_period_has_one_spelling(spelling: str, messages: list[str]) -> None:
    found = faults(USAGE_TEXT.replace(FEBRUARY.isoformat(), spelling))
    assert len(found) == len(messages)
    assert all(one.startswith(other) for one, other in zip(found, messages, strict=True))
