"""The forms of single values: numbers, instants and periods have one spelling each."""

import pytest
from tests.texts import EVENT_TEXT, FEBRUARY, RECORD_TEXT, USAGE_TEXT, faults

from overages import UsageEvent
from overages.codec import decode
from overages.errors import InvalidType


@pytest.mark.parametrize(
    "spelling",
    [
        "1.0", "+1", "01", "-0", "-01", "0.50", ".5", "5.", "00", "1e3", "1E+3", "1_0", " 1", "1 ",
        "", "-", "NaN", "Infinity", "1,5", "\u0661", "1/2", "0x1", "--1", "-0.0", "0.0",
    ],
)  # fmt: skip
def test_a_number_has_one_spelling(spelling: str) -> None:
    text = EVENT_TEXT.replace('"-0.5"', f'"{spelling}"')
    (found,) = faults(text)
    assert found.startswith("quantity: must be a number in its plain form such as 12.5, got ")


@pytest.mark.parametrize("bare", ["5", "-0.5", "1e5", "NaN", "-Infinity", "true", "{}", "null"])
def test_a_number_is_a_string(bare: str) -> None:
    with pytest.raises(InvalidType, match=r"^quantity: must be a number in its plain form .* in a"):
        decode(EVENT_TEXT.replace('"-0.5"', bare), UsageEvent)


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("2/6", "must be reduced, and a decimal number where one is exact, got '2/6'"),
        ("1/2", "must be reduced, and a decimal number where one is exact, got '1/2'"),
        ("4/1", "must be reduced, and a decimal number where one is exact, got '4/1'"),
        ("1/0", "must be a number in its plain form such as 12.5 or 7/60, got '1/0'"),
        ("0/3", "must be a number in its plain form such as 12.5 or 7/60, got '0/3'"),
        ("1/-3", "must be a number in its plain form such as 12.5 or 7/60, got '1/-3'"),
        ("1/03", "must be a number in its plain form such as 12.5 or 7/60, got '1/03'"),
        ("0.5/3", "must be a number in its plain form such as 12.5 or 7/60, got '0.5/3'"),
        (f"1/{'3' * 1001}", "must have at most 1000 digits on a side, got 1/333"),
        ("1.0", "must be a number in its plain form such as 12.5, got '1.0'"),
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
        ("2024-02-03T04:05:06+00:00", "must be written as 2024-02-03T04:05:06Z, got '2024-02-03T"),
        ("2024-02-03T04:05:06.70Z", "must be written as 2024-02-03T04:05:06.700000Z, got "),
        ("2024-02-03T04:05:06.0000001Z", "must be written as 2024-02-03T04:05:06Z, got "),
        ("2024-02-03 04:05:06Z", "must be written as 2024-02-03T04:05:06Z, got "),
        ("2024-02-03T04:05Z", "must be written as 2024-02-03T04:05:00Z, got "),
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
        ("2024-02-01T00:00:00Z/2024-03-01T00:00:00.0Z", ["period.end: must be written as 2024-03"]),
    ],
)
def test_a_period_has_one_spelling(spelling: str, messages: list[str]) -> None:
    found = faults(USAGE_TEXT.replace(FEBRUARY.isoformat(), spelling))
    assert len(found) == len(messages)
    assert all(one.startswith(other) for one, other in zip(found, messages, strict=True))
