"""The codec: texts written by hand, and every refusal with the path to what is refused."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from json import dumps, loads
from pathlib import Path
from typing import Any

import pytest
from tests.recorded import stored

from overages import (
    Account,
    Allowance,
    Balance,
    Burndown,
    Carried,
    Carrying,
    CarryOver,
    ChainHead,
    Charge,
    Commitment,
    Conversion,
    Currency,
    Cycle,
    Discount,
    Draw,
    Exchanged,
    Graduated,
    Grant,
    GrantBalance,
    MetricTotal,
    Money,
    Overage,
    OverageRecord,
    Package,
    Period,
    PerUnit,
    Plan,
    PoolShare,
    PriceModel,
    Summary,
    Tier,
    TierCharge,
    TransactionFee,
    Usage,
    UsageEvent,
    Volume,
    calculate,
)
from overages.codec import Codec, decode, encode
from overages.errors import InvalidType, InvalidValue, InvalidValues, OveragesError

FEBRUARY = Period.month(2024, 2)
MEBIBYTE = 2**20
PLAN = Plan(
    "größer",
    "USD",
    {
        "tokens": Allowance(500_000, Graduated([Tier(1000, "0.0001"), Tier(None, "0.00009")])),
        "runs": Allowance(None, Package("4.50", 100, count="completed")),
    },
    rounding="half_even",
    base_fee=Money(4900, "USD"),
)
PLAN_TEXT = (
    '{"allowances":['
    '{"included":"500000","metric":"tokens","price":{"flat_at_zero":false,"tiers":['
    '{"count":"started","flat":"0","maximum":null,"per":"1","price":"0.0001","size":null,"up_to":"1000"},'
    '{"count":"started","flat":"0","maximum":null,"per":"1","price":"0.00009","size":null,"up_to":null}'
    '],"type":"Graduated"}},'
    '{"included":null,"metric":"runs","price":'
    '{"count":"completed","price":"4.5","size":"100","type":"Package"}}'
    '],"base_fee":{"currency":{"code":"USD","exponent":"2"},"minor":"4900"},'
    '"currency":{"code":"USD","exponent":"2"},"rounding":"half_even","rounding_scope":"line",'
    '"slug":"größer","type":"Plan","version":"1"}'
)
EVENT = UsageEvent(
    "org-1",
    "tokens",
    "-0.50",
    datetime(2024, 2, 3, 4, 5, 6, 700, UTC),
    dimensions={"region": "größer", "model": "large"},
)
EVENT_TEXT = (
    '{"at":"2024-02-03T04:05:06.000700Z","dimensions":{"model":"large","region":"größer"},"id":null,'
    '"metric":"tokens","org_id":"org-1",'
    '"quantity":"-0.5","type":"UsageEvent","version":"1"}'
)
USAGE = Usage("org-1", FEBRUARY, {"tokens": 750_000, "runs": Decimal("7.50")})
USAGE_TEXT = (
    '{"org_id":"org-1","period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z",'
    '"quantities":{"runs":"7.5","tokens":"750000"},"type":"Usage","version":"1"}'
)
RECORD = OverageRecord(
    "org-1",
    FEBRUARY,
    "tokens",
    quantity=-7,
    cost=Money(-12, Currency("credits", 0)),
    exact_cost=Fraction(-14, 120),
    unit_price=Fraction(1, 60),
    plan="größer",
    plan_version=3,
    revision=2,
    sequence=2**63 - 1,
    created_at=datetime(2024, 3, 1, 12, 0, 0, 50, UTC),
    digest="0123456789abcdef" * 4,
)
RECORD_TEXT = (
    '{"cost":{"currency":{"code":"credits","exponent":"0"},"minor":"-12"},'
    '"created_at":"2024-03-01T12:00:00.000050Z","digest":"'
    + "0123456789abcdef"
    * 4
    + '","exact_cost":"-7/60","metric":"tokens","org_id":"org-1",'
    '"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z","plan":"größer","plan_version":"3",'
    '"quantity":"-7","revision":"2","sequence":"9223372036854775807","type":"OverageRecord",'
    '"unit_price":"1/60","version":"1"}'
)
CYCLE = Cycle(datetime(2024, 1, 31, tzinfo=UTC), every=2, unit="week", timezone="Europe/Paris")
STATEMENT = calculate(
    Plan("p", "JPY", {"m": Allowance(5, PerUnit(10))}), Usage("org-1", FEBRUARY, {"m": "7.5"})
)
STATEMENT_TEXT = (
    '{"lines":[{"limit":"5","minor":"25","used":"7.5"}],"org_id":"org-1",'
    '"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z",'
    '"plan":{"allowances":[{"included":"5","metric":"m",'
    '"price":{"per":"1","price":"10","type":"PerUnit"}}],"base_fee":null,'
    '"currency":{"code":"JPY","exponent":"0"},"rounding":"half_up","rounding_scope":"line",'
    '"slug":"p"},"type":"Statement","version":"1"}'
)
TERMS = Plan(
    "t",
    "JPY",
    {
        "seats": Allowance(None, PerUnit(0)),
        "tokens": Allowance(
            5,
            PerUnit(1),
            conversion=Conversion(divide=1000),
            included_per="seats",
            carry_over=CarryOver(7),
            proration="full",
            increment="0.5",
            increment_rounding="up",
            discounts=[Discount("welcome", quantity=3)],
            commitment=Commitment(quantity=9),
            maximum=Money(8, "JPY"),
            minimum=Money(6, "JPY"),
        ),
        "storage": Allowance(4, PerUnit(1), included_for=CYCLE),
    },
    discounts=[Discount("launch", percent="12.5")],
    maximum=Money(80, "JPY"),
    minimum=Money(60, "JPY"),
    proration="seconds",
)
JPY = '{"currency":{"code":"JPY","exponent":"0"},"minor":'
TERMS_TEXT = (
    '{"allowances":[{"included":null,"metric":"seats",'
    '"price":{"per":"1","price":"0","type":"PerUnit"}},'
    '{"carry_over":{"draw":"oldest_first","expires_after":null,"increment":"1",'
    '"overage":"charged","rounding":"floor","share":null,"up_to":"7"},'
    '"commitment":{"amount":null,"overage_factor":"1","quantity":"9","true_up":true},'
    '"conversion":{"divide":"1000","increment":null,"minimum":"0","multiply":"1","rounding":"up"},'
    '"discounts":[{"amount":null,"name":"welcome","percent":null,"quantity":"3"}],'
    '"included":"5","included_per":"seats","increment":"0.5","increment_rounding":"up",'
    f'"maximum":{JPY}"8"}},"metric":"tokens","minimum":{JPY}"6"}},'
    '"price":{"per":"1","price":"1","type":"PerUnit"},"proration":"full"},'
    '{"included":"4","included_for":{"anchor":"2024-01-31T00:00:00Z","every":"2",'
    '"timezone":"Europe/Paris","unit":"week"},"metric":"storage",'
    '"price":{"per":"1","price":"1","type":"PerUnit"}}],"base_fee":null,'
    '"currency":{"code":"JPY","exponent":"0"},'
    '"discounts":[{"amount":null,"name":"launch","percent":"12.5","quantity":null}],'
    f'"maximum":{JPY}"80"}},"minimum":{JPY}"60"}},"proration":"seconds","rounding":"half_up",'
    '"rounding_scope":"line","slug":"t","type":"Plan","version":"1"}'
)
TEXTS: list[Any] = [
    (TERMS, TERMS_TEXT),
    (PLAN, PLAN_TEXT),
    (EVENT, EVENT_TEXT),
    (USAGE, USAGE_TEXT),
    (RECORD, RECORD_TEXT),
    (STATEMENT, STATEMENT_TEXT),
    (
        FEBRUARY,
        '{"end":"2024-03-01T00:00:00Z","start":"2024-02-01T00:00:00Z",'
        '"type":"Period","version":"1"}',
    ),
    (
        Account("org-1", "p", {"b": 2, "a": 1}),
        '{"cycle":{"anchor":"2000-01-01T00:00:00Z","every":"1","timezone":"UTC","unit":"month"},'
        '"limits":{"a":"1","b":"2"},"org_id":"org-1","plan":"p","status":"active",'
        '"type":"Account","version":"1"}',
    ),
    (
        Account("org-1", "p", status="past_due", cycle=CYCLE),
        '{"cycle":{"anchor":"2024-01-31T00:00:00Z","every":"2","timezone":"Europe/Paris",'
        '"unit":"week"},"limits":{},"org_id":"org-1","plan":"p","status":"past_due",'
        '"type":"Account","version":"1"}',
    ),
    (
        Account("org-1", "p", since=FEBRUARY.start),
        '{"cycle":{"anchor":"2000-01-01T00:00:00Z","every":"1","timezone":"UTC","unit":"month"},'
        '"limits":{},"org_id":"org-1","plan":"p","since":"2024-02-01T00:00:00Z",'
        '"status":"active","type":"Account","version":"1"}',
    ),
    (
        Balance({"m": [Carried(-5, FEBRUARY)]}, [USAGE], [Burndown(FEBRUARY.end, "tokens")]),
        '{"burndowns":[{"accounts":[],"at":"2024-03-01T00:00:00Z","currency":null,"draws":[],'
        '"metric":"tokens","overage":"0","settled":"0","unreturned":"0"}],'
        '"carried":{"m":[{"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z",'
        '"periods_left":null,"quantity":"-5"}]},"type":"Balance",'
        '"used":[{"org_id":"org-1","period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z",'
        '"quantities":{"runs":"7.5","tokens":"750000"}}],"version":"1"}',
    ),
    (
        CYCLE,
        '{"anchor":"2024-01-31T00:00:00Z","every":"2","timezone":"Europe/Paris","type":"Cycle",'
        '"unit":"week","version":"1"}',
    ),
    (
        Carrying(
            CarryOver(5, Fraction(1, 3), 2),
            [Carried("0.5", FEBRUARY, 1)],
            3,
            4,
            Period.month(2024, 3),
        ),
        '{"brought":[{"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z","periods_left":"1",'
        '"quantity":"0.5"}],"included":"3","period":"2024-03-01T00:00:00Z/2024-04-01T00:00:00Z",'
        '"rule":{"draw":"oldest_first","expires_after":"2","increment":"1","overage":"charged",'
        '"rounding":"floor","share":"1/3","up_to":"5"},"type":"Carrying","used":"4","version":"1"}',
    ),
    (
        Carried(-3, FEBRUARY),
        '{"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z","periods_left":null,'
        '"quantity":"-3","type":"Carried","version":"1"}',
    ),
    (
        PoolShare("org-1", "tokens", 7, Money(5, "JPY")),
        '{"cost":{"currency":{"code":"JPY","exponent":"0"},"minor":"5"},"metric":"tokens",'
        '"org_id":"org-1","type":"PoolShare","used":"7","version":"1"}',
    ),
    (
        Grant("g", Money(5, "EUR"), effective_at=FEBRUARY.start, recurrence=CYCLE, step="0.50"),
        '{"amount":{"currency":{"code":"EUR","exponent":"2"},"minor":"5"},"created_at":null,'
        '"effective_at":"2024-02-01T00:00:00Z","expires_at":null,"id":"g","metric":null,'
        '"priority":"0","recurrence":{"anchor":"2024-01-31T00:00:00Z","every":"2",'
        '"timezone":"Europe/Paris","unit":"week"},"refill_keeps":"0","rollover_max":null,'
        '"rollover_min":"0","step":"0.5","type":"Grant","version":"1","voided_at":null}',
    ),
    (
        Burndown(
            FEBRUARY.end,
            "tokens",
            accounts=[GrantBalance("g", 9, 5, 2, 1, filled_at=FEBRUARY.start)],
            overage=3,
            draws=[Draw("g", FEBRUARY.start, 5, covered=4)],
        ),
        '{"accounts":[{"drawn":"5","expired":"2","filled_at":"2024-02-01T00:00:00Z",'
        '"grant_id":"g","granted":"9","voided":"1"}],"at":"2024-03-01T00:00:00Z",'
        '"currency":null,"draws":[{"at":"2024-02-01T00:00:00Z","covered":"4","grant_id":"g",'
        '"quantity":"5"}],"metric":"tokens","overage":"3","settled":"0","type":"Burndown",'
        '"unreturned":"0","version":"1"}',
    ),
    (
        ChainHead(17, "f" * 64),
        '{"digest":"' + "f" * 64 + '","sequence":"17","type":"ChainHead","version":"1"}',
    ),
    (
        Summary("EUR", {"m": MetricTotal(10**30, Money(0, "EUR"))}),
        '{"currency":{"code":"EUR","exponent":"2"},"metrics":{"m":{"cost":{"currency":'
        '{"code":"EUR","exponent":"2"},"minor":"0"},"quantity":"1' + "0" * 30 + '"}},'
        '"type":"Summary","version":"1"}',
    ),
    (
        Charge([TierCharge(Tier(None, 2, size=3), 4)]),
        '{"tiers":[{"above":"0","quantity":"4","rate":"1","tier":{"count":"started","flat":"0","maximum":null,"per":"1",'
        '"price":"2","size":"3","up_to":null}}],"type":"Charge","version":"1"}',
    ),
    (
        Exchanged(PerUnit(2), "0.5", per=3),
        '{"per":"3","price":{"per":"1","price":"2","type":"PerUnit"},"rate":"0.5",'
        '"type":"Exchanged","version":"1"}',
    ),
    (
        Conversion(divide=1000, increment="0.01", minimum=5),
        '{"divide":"1000","increment":"0.01","minimum":"5","multiply":"1","rounding":"up",'
        '"type":"Conversion","version":"1"}',
    ),
    (
        TransactionFee("1.3", free_events=3).charge_each([5]).then([100, "2.50"]),
        '{"amount_before":"5","amounts":["100","2.5"],"events_before":"1","fee":{"fixed":"0",'
        '"free_amount":null,"free_events":"3","max_per_event":null,"min_per_event":null,'
        '"percent":"1.3"},"type":"TransactionCharge","version":"1"}',
    ),
    (
        Volume([Tier(None, 2)], flat_at_zero=True),
        '{"flat_at_zero":true,"tiers":[{"count":"started","flat":"0","maximum":null,"per":"1","price":"2",'
        '"size":null,"up_to":null}],"type":"Volume","version":"1"}',
    ),
]


def faults(text: str | bytes, expected: type = object, codec: Codec | None = None) -> list[str]:
    with pytest.raises(OveragesError) as caught:
        (codec or Codec()).decode(text, expected)
    return [str(error) for error in caught.value.errors]


# Texts


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=lambda part: type(part).__name__)
def test_a_value_is_written_as_this_text_and_read_from_it(value: Any, text: str) -> None:
    assert encode(value).decode() == text
    assert decode(text, type(value)) == value
    assert decode(text.encode(), object) == value


def test_keys_may_come_in_any_order_and_with_space_between() -> None:
    text = '\n{ "version": "1", "code": "\\u0055SD",\t"type": "Currency", "exponent": "2" }\r\n'
    assert decode(text, Currency) == Currency("USD")


def test_a_price_model_can_be_expected_by_its_protocol() -> None:
    expected: type[PriceModel] = PriceModel  # type: ignore[type-abstract]
    assert decode(encode(PerUnit(1)), expected) == PerUnit(1)


@contextmanager
def shortest_ints() -> Iterator[None]:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize(
    "value",
    [
        Money(-(10**1000) + 1, "USD"),
        stored(
            "org-1",
            FEBRUARY,
            "tokens",
            quantity=1,
            cost=Money(1, "USD"),
            exact_cost=Decimal("-" + "9" * 1000 + "." + "9" * 1000),
            unit_price=Fraction(-(10**1000) + 1, 10**999 + 1),
        ),
    ],
)
def test_the_longest_numbers_are_written_and_read_whatever_the_host_has_limited(value: Any) -> None:
    with shortest_ints():
        assert decode(encode(value), object) == value


# Refusals of a text as a whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "data: must be JSON, got 'Expecting value: line 1 column 1 (char 0)'"),
        ("{", "data: must be JSON, got 'Expecting property name enclosed in double quotes: l"),
        ('{"type"', "data: must be JSON, got "),
        ('{"type": "Plan\\', "data: must be JSON, got "),
        ('{"type": "\n"}', "data: must be JSON, got 'Invalid control character at: "),
        ("{} {}", "data: must be JSON, got 'Extra data: "),
        ("\ufeff{}", "data: must be JSON, got 'Unexpected UTF-8 BOM"),
        (b'{"\xff": 1}', "data: must be UTF-8, got \"'utf-8' codec can't decode byte 0xff"),
        ("{}".encode("utf-16"), "data: must be UTF-8, got "),
        ("\ud800", "data: must be UTF-8, got "),
        ("[]", "data: must be a JSON object, got []"),
        ("7", "data: must be a JSON object, got 7"),
        ("NaN", "data: must be a JSON object, got NaN"),
        ("1" * 5000, "data: must be a JSON object, got 111"),
        ("null", "data: must be a JSON object, got None"),
        ("[" * 17 + "]" * 17, "data: must be nested at most 16 deep, got '17 levels'"),
        ('{"a":' * 100_000, "data: must be nested at most 16 deep, got '17 levels'"),
        ("[" * MEBIBYTE, "data: must be nested at most 16 deep, got '17 levels'"),
        ('"[[[[[[[[[[[[[[[[[[[["', "data: must be a JSON object, got '[[["),
        ('"\\"[[[[[[[[[[[[[[[[[[[["', "data: must be a JSON object, got '\"[[["),
        ("[" * 16 + "]" * 16, "data: must be a JSON object, got [[[["),
        ('\\"' * (MEBIBYTE // 2), "data: must be JSON, got "),
        (" " * (MEBIBYTE + 1), "data: must have at most 1048576 bytes, got 1048577"),
        (b" " * (MEBIBYTE + 1), "data: must have at most 1048576 bytes, got 1048577"),
        ("ö" * MEBIBYTE, "data: must have at most 1048576 bytes, got 2097152"),
        (bytearray(b"{}"), "data: must be bytes or a str, got bytearray(b'{}')"),
        (None, "data: must be bytes or a str, got None"),
    ],
    ids=lambda part: ascii(part)[:20],
)
def test_what_is_no_text_of_a_value_is_refused(text: Any, message: str) -> None:
    (found,) = faults(text)
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("text", "expected", "messages"),
    [
        ("{}", object, ["type: must be one of Account, ", "version: must be '1', got None"]),
        ('{"type":"Plane","version":"1"}', object, ["type: must be one of Account, "]),
        ('{"type":["Plan"],"version":"1"}', object, ["type: must be one of Account, "]),
        ('{"type":"Plan","version":"2"}', Plan, ["version: must be '1', got '2'"]),
        ('{"type":"Plan","version":1}', Plan, ["version: must be '1', got 1"]),
        ('{"type":"Plan","version":"1"}', Usage, ["type: must be Usage, got 'Plan'"]),
        ('{"type":"Plan","type":"Plan","version":"1"}', Plan, ["type: must be given once, got "]),
    ],
)
def test_type_and_version_are_held_to_what_is_known_and_expected(
    text: str, expected: type, messages: list[str]
) -> None:
    found = faults(text, expected)
    assert len(found) == len(messages)
    assert all(one.startswith(other) for one, other in zip(found, messages, strict=True))


def test_what_is_expected_must_be_a_class() -> None:
    odd: Any = "Plan"
    with pytest.raises(InvalidType, match=r"^expected: must be of type type, got 'Plan'$"):
        decode(PLAN_TEXT, odd)


def test_an_adjustment_of_a_summary_that_costs_nothing_is_left_out() -> None:
    summary = Summary("EUR", {}, {"minimum": Money(5, "EUR")})
    text = encode(summary).decode()
    assert decode(text, Summary) == summary
    (found,) = faults(text.replace('"minor":"5"', '"minor":"0"'))
    assert found.startswith("adjustments.minimum: must be left out where it costs nothing, got")


# Terms of plans


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"proration":"full"', '"proration":"days"', "allowances[1].proration: must be left out"),
        ('"proration":"full"', '"proration":"x"', "allowances[1].proration: must be one of days"),
        ('"proration":"full"', '"proration":5', "allowances[1].proration: must be a str, got 5"),
        ('"proration":"seconds"', '"proration":null', "proration: must be a str, got None"),
        ('"increment":"0.5"', '"increment":"1"', "allowances[1].increment: must be left out wh"),
        ('"increment":"0.5"', '"increment":"0"', "allowances[1].increment: must be more than z"),
        ('_rounding":"up"', '_rounding":"half_up"', "allowances[1].increment_rounding: must be"),
        ('_per":"seats"', '_per":null', "allowances[1].included_per: must be a str, got None"),
        ('_per":"seats"', '_per":"x"', "allowances.tokens.included_per: must be another metric"),
        ('"up_to":"7"', '"up_to":"-7"', "allowances[1].carry_over.up_to: must not be negative"),
        ('"true_up":true', '"true_up":1', "allowances[1].commitment.true_up: must be True or Fal"),
        ('"divide":"1000"', '"divide":"0"', "allowances[1].conversion.divide: must be more tha"),
        ('"unit":"week"', '"unit":"age"', "allowances[2].included_for.unit: must be one of hour"),
        ('"quantity":"3"', '"quantity":null', "allowances[1].discounts[0].discount: must have"),
        ('"percent":"12.5"', '"percent":"101"', "discounts[0].percent: must be from 0 to 100"),
        (f'{JPY}"60"', f'{JPY}"90"', "minimum: must not be above the maximum, 80 JPY, got"),
        (f'"maximum":{JPY}"80"}}', '"maximum":null', "maximum: must be a JSON object, got None"),
        ('"welcome","per', '"welcome","pro', "allowances[1].discounts[0].procent: isn't known;"),
    ],
)
def test_a_term_is_refused_by_its_path(old: str, new: str, message: str) -> None:
    assert old in TERMS_TEXT
    found = faults(TERMS_TEXT.replace(old, new, 1))
    assert any(fault.startswith(message) for fault in found), found


def test_the_reference_has_the_keys_of_every_type() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/json.md").read_text("utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)?) \| (.+) \|$", page, re.M)
    said: dict[str, str] = {}
    for names, keys in rows:
        for name in re.findall(r"\w+", names):
            said[name] = said.get(name, "") + keys
    said["Allowance"] += said["Plan"]  # it has the same ones, as its row says
    (kinds,) = faults('{"type":"?","version":"1"}')
    for kind in re.findall(r"\b[A-Z]\w+", kinds):
        known = next(
            fault
            for fault in faults(f'{{"?":"","type":"{kind}","version":"1"}}')
            if "known here are" in fault
        )
        for key in known.split("known here are ")[1].removesuffix(", got ''").split(", "):
            assert f"`{key}`" in said[kind], (kind, key)


# Refusals of a part, each with its path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"slug":"größer"', '"slug":""', "slug: must not be empty, got ''"),
        ('"slug":"größer"', '"slug":5', "slug: must be a str, got 5"),
        ('"slug":"größer"', '"slug":"\\ud800"', "slug: must not hold control characters or lone"),
        ('"slug":"größer",', "", "slug: must be given, got None"),
        ('"slug"', '"slog":1e5,"slug"', "slog: isn't known; known here are slug, currency, allow"),
        ('"slug"', '"\\ud800\\n":"","slug"', "\\ud800\\n: isn't known; known here are slug, curr"),
        ('"slug"', f'"{"x" * 99}":"","slug"', f"{'x' * 80}: isn't known; known here are slug"),
        ('"slug"', '"slug":"a","slug"', "slug: must be given once, got 'größer'"),
        ('"half_even"', '"half"', "rounding: must be one of half_up, half_even, half_down, up, d"),
        ('"half_even"', "[]", "rounding: must be a str, got []"),
        ('"line"', '"page"', "rounding_scope: must be one of line, total, got 'page'"),
        ('"line"', "true", "rounding_scope: must be a str, got True"),
        ('"line"', '"\\udfff"', "rounding_scope: must not hold lone surrogates, got '\\udfff'"),
        ('"minor":"4900"', '"minor":4900', "base_fee.minor: must be a whole number in its plain f"),
        ('"minor":"4900"', '"minor":"49.5"', "base_fee.minor: must be a whole number in its plai"),
        ('"minor":"4900"', f'"minor":"{"9" * 1001}"', "base_fee.minor: must have at most 1000 dig"),
        ('"minor":"4900"', f'"minor":"{"9" * 9999}"', "base_fee.minor: must be a whole number in"),
        ('"exponent":"2"},"minor"', '"exponent":"3"},"minor"', "base_fee.currency.exponent: must"),
        ('"included":"500000"', '"included":null,"included":"5"', "allowances[0].included: must b"),
        ('"included":"500000"', '"included":"-5"', "allowances[0].included: must not be negative"),
        ('"included":"500000"', f'"included":"{"9" * 27}"', "allowances[0].included: must have at"),
        ('"metric":"runs"', '"metric":"tokens"', "allowances[1]: must be given once, got 'tokens'"),
        ('"type":"Package"', '"type":"Parcel"', "allowances[1].price.type: must be one of Excha"),
        (
            ',"type":"Package"',
            "",
            "allowances[1].price.type: must be one of Exchanged, Graduated, ",
        ),
        ('"completed"', '"begun"', "allowances[1].price.count: must be one of started, completed"),
        ('"size":"100"', '"size":"0"', "allowances[1].price.size: must be more than zero, got 0"),
        ('"up_to":"1000"', '"up_to":"-1"', "allowances[0].price.tiers[0].up_to: must be more than"),
        ('"up_to":"1000"', '"up_to":1e3', "allowances[0].price.tiers[0].up_to: must be a number "),
        ('"flat_at_zero":false', '"flat_at_zero":0', "allowances[0].price.flat_at_zero: must be T"),
        ('[{"included"', '[7,{"included"', "allowances[0]: must be a JSON object, got 7"),
        (
            '"tiers":[',
            '"tiers":{},"_":[',
            "allowances[0].price.tiers: must be a JSON array, got {}",
        ),
    ],
)
def test_a_fault_of_a_plan_is_named_with_its_path(old: str, new: str, message: str) -> None:
    assert old in PLAN_TEXT
    found = faults(PLAN_TEXT.replace(old, new, 1), Plan)
    assert any(one.startswith(message) for one in found), found


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
        (f"1/{'3' * 1001}", "must have at most 1000 digits on a side, got Fraction(1, 333"),
        ("1.0", "must be a number in its plain form such as 12.5, got '1.0'"),
    ],
)
def test_a_fraction_is_reduced_and_stands_where_no_decimal_is_exact(
    spelling: str, message: str
) -> None:
    (found,) = faults(RECORD_TEXT.replace("-7/60", spelling))
    assert found.startswith(f"exact_cost: {message}")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"0123456789abcdef0', '"0123456789ABCDEF0', "digest: must be 64 lower-case hexadecimal"),
        ('"digest":"0', '"digest":"', "digest: must be 64 lower-case hexadecimal digits, got '1"),
        ('"revision":"2"', '"revision":"0"', "revision: must be from 1 to 2**63 - 1, got 0"),
        ('"revision":"2"', '"revision":2', "revision: must be a whole number in its plain form i"),
        ("54775807", "54775808", "sequence: must be from 1 to 2**63 - 1, got 9223372036854775808"),
        ('"plan_version":"3",', "", "plan_version: must be given, got None"),
        ('"plan":"größer"', '"plan":null', "plan: must be a str, got None"),
        ("00.000050Z", "00.00005Z", "created_at: must be written as 2024-03-01T12:00:00.000050Z"),
    ],
)
def test_a_fault_of_a_record_is_named_with_its_path(old: str, new: str, message: str) -> None:
    assert old in RECORD_TEXT
    (found,) = faults(RECORD_TEXT.replace(old, new, 1))
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"every":"2"', '"every":"0"', "cycle.every: must be"),
        ('"week"', '"fortnight"', "cycle.unit: must be one of hour, day, week, month, quarter, ye"),
        ('"Europe/Paris"', '"Mars"', "cycle.timezone: must be"),
        ('"past_due"', '"paid"', "status: must be one of trial, active, past_due, canceled, got "),
    ],
)
def test_a_fault_of_an_account_is_named_with_its_path(old: str, new: str, message: str) -> None:
    text = encode(Account("org-1", "p", status="past_due", cycle=CYCLE)).decode()
    assert old in text
    (found,) = faults(text.replace(old, new))
    assert found.startswith(message)


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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"runs":"7.5"', '"tokens":"7.5"', "quantities.tokens: must be given once, got '750000'"),
        ('"runs":"7.5"', '"":"7.5"', "quantities metric: must not be empty, got ''"),
        ('"runs":"7.5"', '"\\n":"7.5"', "quantities metric: must not hold control characters or "),
        ('"runs":"7.5"', '"runs":"-7.5"', "quantities.runs: must not be negative, got Decimal"),
        ('"runs":"7.5"', '"runs":"7.50"', "quantities.runs: must be a number in its plain form"),
        ('{"runs":"7.5","tokens":"750000"}', "null", "quantities: must be a JSON object, got None"),
    ],
)
def test_a_fault_of_a_mapping_is_named_with_its_path(old: str, new: str, message: str) -> None:
    (found,) = faults(USAGE_TEXT.replace(old, new))
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"used":"7.5"}', '"used":"-1"}', "lines[0].used: must not be negative, got -1"),
        ('"used":"7.5"}', '"used":"7","over":"2"}', "lines[0].over: isn't known; known here are u"),
        ('"minor":"25"', f'"minor":"{"9" * 1001}"', "lines[0].minor: must have at most 1000 digit"),
        ('[{"limit":"5","minor":"25","used":"7.5"}]', "[]", "lines: must be as many as the plan's"),
        ('"price":"10"', '"price":"-10"', "plan.allowances[0].price.price: must not be negative"),
        ('"slug":"p"', '"slug":"p","version":"1"', "plan.version: isn't known; known here are sl"),
        ('"base_fee":null', '"base_fee":"0"', "plan.base_fee: must be a JSON object, got '0'"),
    ],
)
def test_a_fault_of_a_statement_is_named_with_its_path(old: str, new: str, message: str) -> None:
    assert old in STATEMENT_TEXT
    (found,) = faults(STATEMENT_TEXT.replace(old, new))
    assert found.startswith(message)


def test_a_total_of_nothing_is_refused_for_a_summary_would_drop_it() -> None:
    text = encode(Summary("USD", {"m": MetricTotal(1, Money(0, "USD"))})).decode()
    (found,) = faults(text.replace('"quantity":"1"', '"quantity":"0"'))
    assert found.startswith("metrics.m: must be left out where there is neither quantity nor cost")


def test_currencies_that_clash_are_refused() -> None:
    text = PLAN_TEXT.replace('"currency":{"code":"USD"', '"currency":{"code":"EUR"', 1)
    assert faults(text) == ["currency: USD and EUR can't be added or compared"]


def test_all_faults_of_a_text_are_found_together() -> None:
    text = PLAN_TEXT
    for old, new in [
        ('"größer"', "null"),
        ('"0.0001"', "0.0001"),
        ('"0.00009"', '"9E-5"'),
        ('"100"', '"0"'),
    ]:
        text = text.replace(old, new)
    with pytest.raises(InvalidValues) as caught:
        decode(text, Plan)
    assert [getattr(error, "field", "") for error in caught.value.errors] == [
        "slug",
        "allowances[0].price.tiers[0].price",
        "allowances[0].price.tiers[1].price",
        "allowances[1].price.size",
    ]


# Refusals of a value


@pytest.mark.parametrize("value", [None, 5, "Plan", Plan, object(), {"type": "Plan"}, [PLAN]])
def test_what_is_no_value_of_the_library_is_not_written(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^value: must be a value of the library, got "):
        encode(value)


def test_what_would_be_too_long_to_read_is_not_written() -> None:
    usage = Usage("org-1", FEBRUARY, {f"metric-{'x' * 200}-{i}": i for i in range(6000)})
    with pytest.raises(
        InvalidValue, match=r"^value: must have at most 1048576 bytes of JSON, got "
    ):
        encode(usage)


# Price models of a host's own


@dataclass(frozen=True)
class Bands:
    """A host's own price model, of every type that the codec takes."""

    price: Any
    name: Any = "1"
    open: Any = True

    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(None, 1), quantity)])


BANDS = Codec(price_models=[Bands])
BANDS_TEXT = (
    '{"name":"1","open":true,"price":[{"number":"0.5"},{"tier":{"count":"started","flat":"0",'
    '"maximum":null,"per":"1","price":"2","size":null,"up_to":"5"}},null],"type":"Bands","version":"1"}'
)


def test_a_price_model_of_a_host_is_written_by_its_arguments() -> None:
    model = Bands((Decimal("0.50"), Tier(5, 2), None))
    assert BANDS.encode(model).decode() == BANDS_TEXT
    assert BANDS.decode(BANDS_TEXT, Bands) == model


@pytest.mark.parametrize(
    "argument",
    [5, Decimal("5.5"), -5, 10**999, "5", "", "\n", True, False, None, Tier(None, 1), (), (1, "1")],
)
def test_an_argument_of_a_host_keeps_its_type(argument: Any) -> None:
    again = BANDS.decode(BANDS.encode(Bands(argument)), Bands)
    assert again.price == argument
    assert type(again.price) is type(argument)


def test_a_number_of_a_host_has_the_one_form_of_a_quantity() -> None:
    assert BANDS.encode(Bands(Decimal("5.00"))) == BANDS.encode(Bands(5))
    assert repr(BANDS.decode(BANDS.encode(Bands(Decimal("5.00"))), Bands).price) == "5"


class Name(str, Enum):  # noqa: UP042 (what hosts have is often older than StrEnum)
    STANDARD = "standard"


def test_a_text_of_a_host_from_an_enum_is_its_text() -> None:
    assert type(BANDS.decode(BANDS.encode(Bands(Name.STANDARD)), Bands).price) is str


def test_a_plan_with_a_price_model_of_a_host_is_a_plan_like_any_other() -> None:
    plan = Plan("p", "USD", {"m": Allowance(5, Bands(1))})
    assert BANDS.decode(BANDS.encode(plan), Plan) == plan


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Plan("p", "USD", {"a": Allowance(1, PerUnit(1)), "b": Allowance(1, Bands(1))}),
         "allowances[1].price"),
        (Allowance(1, Bands(1)), "price"),
        (Overage("m", 1, 1, Bands(1), Money(1, "USD")), "price"),
    ],
)  # fmt: skip
def test_a_price_model_that_is_not_named_is_not_written(value: object, path: str) -> None:
    with pytest.raises(InvalidType) as caught:
        encode(value)
    assert str(caught.value).startswith(
        f"{path}: must be a price model of the library, "
        "or of a class that is named in Codec(price_models=[...]), got Bands(price=1"
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (Fraction(1, 2), "price: must be an int, a Decimal, a str, a bool, None, a Tier, or a tu"),
        (0.5, "price: must be an int, a Decimal, a str, a bool, None, a Tier, or a tuple of thes"),
        ([1], "price: must be an int, a Decimal, a str, a bool, None, a Tier, or a tuple of thes"),
        ((1, (2,)), "price[1]: must be an int, a Decimal, a str, a bool, None, a Tier, or a tuple"),
        (Decimal("NaN"), "price: must be a finite number, got Decimal('NaN')"),
        (Decimal("1E+1000"), "price: must have at most 1000 digits on a side, got Decimal"),
        ("\ud800", "price: must not hold lone surrogates, got '\\ud800'"),
    ],
)
def test_what_can_not_be_written_of_a_host_is_named(argument: Any, message: str) -> None:
    with pytest.raises(OveragesError) as caught:
        BANDS.encode(Bands(argument))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('{"number":"0.5"}', "0.5", "price[0]: must be a str, got 0.5"),
        ('{"number":"0.5"}', '{"number":"0.50"}', "price[0].number: must be a number in its plai"),
        ('{"number":"0.5"}', "{}", "price[0].number: must be given, got None"),
        ('{"number":"0.5"}', '{"number":"1","number":"1"}', "price[0].number: must be given once"),
        ('{"number":"0.5"}', '{"tier":{},"number":"1"}', "price[0].number: isn't known; known he"),
        ('{"number":"0.5"}', "[[]]", "price[0]: must be a str, got [[]]"),
        ('"up_to":"5"', '"up_to":"05"', "price[1].tier.up_to: must be a number in its plain form"),
        ('"open":true', '"shut":true', "shut: isn't known; known here are price, name, open, got"),
    ],
)
def test_a_fault_of_a_host_s_price_model_is_named_with_its_path(
    old: str, new: str, message: str
) -> None:
    found = faults(BANDS_TEXT.replace(old, new), codec=BANDS)
    assert found[0].startswith(message)


@dataclass(frozen=True)
class Strict:
    """A price model that changes its argument, or refuses it in an error of its own."""

    price: Any
    note: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "price", int(self.price))
        if self.price < 0:
            raise InvalidValue("price", self.price, "must not be negative")

    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(None, 1), quantity)])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ('"5"', "price: must hold the arguments of Strict as it keeps them, got {'price': '5'}"),
        ('"five"', "price.type: must be made of what Strict takes, got ValueError("),
        ("null", "price.type: must be made of what Strict takes, got TypeError("),
        ('{"number":"-5"}', "price.price: must not be negative, got -5"),
    ],
)
def test_what_a_host_s_constructor_changes_or_refuses_is_refused(
    argument: str, message: str
) -> None:
    codec = Codec(price_models=[Strict])
    price = f'{{"type":"Strict","price":{argument}}}'
    (found,) = faults(
        f'{{"type":"Allowance","version":"1","included":"5","price":{price}}}', codec=codec
    )
    assert found.startswith(message)


def test_what_changes_its_arguments_is_refused_as_a_whole_too() -> None:
    codec = Codec(price_models=[Strict])
    assert codec.decode(codec.encode(Strict(5)), Strict) == Strict(5)
    (found,) = faults('{"type":"Strict","version":"1","price":"5"}', codec=codec)
    assert found.startswith("data: must hold the arguments of Strict as it keeps them, got ")


def test_a_price_model_that_would_not_come_back_equal_is_not_written() -> None:
    codec = Codec(price_models=[Strict])
    with pytest.raises(InvalidType, match=r"^value: must equal what Strict makes of its __match_a"):
        codec.encode(Strict(5, note="kept nowhere"))
    with pytest.raises(InvalidType, match=r"^price: must equal what Strict makes of its __match_a"):
        codec.encode(Allowance(5, Strict(5, note="kept nowhere")))


class Forgetful:
    __match_args__ = ("price",)

    def __init__(self, price: object) -> None:
        del price

    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(None, 1), quantity)])


def test_a_price_model_without_its_arguments_is_refused() -> None:
    codec = Codec(price_models=[Forgetful])
    message = "price.type: must keep what its __match_args__ name, got AttributeError("
    with pytest.raises(InvalidType) as caught:
        codec.encode(Allowance(5, Forgetful(5)))
    assert str(caught.value).startswith(message)
    price = '{"type":"Forgetful","price":"5"}'
    (found,) = faults(
        f'{{"type":"Allowance","version":"1","included":"5","price":{price}}}', codec=codec
    )
    assert found.startswith(message)


class Nameless:
    def charge(self, quantity: Any, /) -> Charge:
        return Charge([TierCharge(Tier(None, 1), quantity)])


def named(name: str, *arguments: str) -> type:
    return type(name, (Nameless,), {"__match_args__": arguments})


@pytest.mark.parametrize(
    ("models", "messages"),
    [
        (5, ["price_models: must be a list, or something else to iterate over, got 5"]),
        ([Bands(1)], ["price_models[0]: must be a class of price models, got Bands("]),
        ([int], ["price_models[0]: must be a class of price models, got <class 'int'>"]),
        ([Nameless], ["price_models[0]: must have __match_args__, as a dataclass has, but neit"]),
        ([named("A", "type")], ["price_models[0]: must have __match_args__, as a dataclass has"]),
        ([named("A", "version")], ["price_models[0]: must have __match_args__, as a dataclass"]),
        ([named("Plan")], ["price_models[0]: must have a name that no other class has, got "]),
        ([PerUnit], ["price_models[0]: must have a name that no other class has, got "]),
        (
            [named("A"), named("A"), int],
            [
                "price_models[1]: must have a name that no other class has, got ",
                "price_models[2]: must be a class of price models, got <class 'int'>",
            ],
        ),
    ],
)
def test_price_models_are_classes_with_names_of_their_own(models: Any, messages: list[str]) -> None:
    with pytest.raises(OveragesError) as caught:
        Codec(price_models=models)
    found = [str(error) for error in caught.value.errors]
    assert len(found) == len(messages)
    assert all(one.startswith(other) for one, other in zip(found, messages, strict=True))


def test_a_balance_is_kept_sorted_and_without_what_is_empty() -> None:
    usages = [Usage("o", Period.month(2024, n), {}) for n in (1, 2)]
    burndowns = [Burndown(FEBRUARY.end, metric) for metric in ("a", "b")]
    tree = loads(encode(Balance({}, usages, burndowns)))
    others = {
        "carried": {"m": []},
        "used": tree["used"][::-1],
        "burndowns": tree["burndowns"][::-1],
    }
    for key, value in others.items():
        with pytest.raises(InvalidValue, match=f"^{key}: must be sorted, by period or by metric"):
            decode(dumps({**tree, key: value}), Balance)
