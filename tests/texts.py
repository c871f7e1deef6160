"""Values for tests, with the JSON texts that they are written as."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Commitment,
    Conversion,
    Currency,
    Cycle,
    Discount,
    Exchanged,
    Graduated,
    Grant,
    Money,
    OverageRecord,
    Package,
    Period,
    PerUnit,
    Plan,
    Summary,
    Tier,
    TierCharge,
    TransactionFee,
    Usage,
    UsageEvent,
    Volume,
    calculate,
)
from overages.codec import Codec
from overages.errors import OveragesError
from overages.grants.burndown import Burndown
from overages.grants.state import Draw, GrantState
from overages.prices.tier import Charge
from overages.records.chain import ChainHead
from overages.settlements.carry_over_result import CarryOverResult
from overages.settlements.pooled_statement import PoolShare
from overages.statements.summary import MetricTotal
from overages.terms.carry_over import CarriedUnits
from tests.since import SINCE

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
    '{"allowances":[{"included":"500000","metric":"tokens",'
    '"price":{"tiers":[{"price":"0.0001","up_to":"1000"},{"price":"0.00009","up_to":null}],'
    '"type":"Graduated"}},{"included":null,"metric":"runs","price":{"count":"completed",'
    '"price":"4.5","size":"100","type":"Package"}}],"base_fee":{"amount":"49.00",'
    '"currency":"USD"},"currency":"USD","rounding":"half_even","slug":"größer","type":"Plan",'
    '"version":"1"}'
)
EVENT = UsageEvent(
    "org-1",
    "tokens",
    "-0.50",
    datetime(2024, 2, 3, 4, 5, 6, 700, UTC),
    dimensions={"region": "größer", "model": "large"},
)
EVENT_TEXT = (
    '{"at":"2024-02-03T04:05:06.000700Z","dimensions":{"model":"large","region":"größer"},'
    '"metric":"tokens","org_id":"org-1","quantity":"-0.5","type":"UsageEvent","version":"1"}'
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
    '{"cost":{"amount":"-12","currency":{"code":"credits","exponent":"0"}},'
    '"created_at":"2024-03-01T12:00:00.000050Z",'
    '"digest":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",'
    '"exact_cost":"-7/60","metric":"tokens","org_id":"org-1",'
    '"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z","plan":"größer","plan_version":"3",'
    '"quantity":"-7","revision":"2","sequence":"9223372036854775807","type":"OverageRecord",'
    '"unit_price":"1/60","version":"1"}'
)
CYCLE = Cycle(datetime(2024, 1, 31, tzinfo=UTC), every=2, unit="week", timezone="Europe/Paris")
STATEMENT = calculate(
    Plan("p", "JPY", {"m": Allowance(5, PerUnit(10))}), Usage("org-1", FEBRUARY, {"m": "7.5"})
)
STATEMENT_TEXT = (
    '{"lines":[{"cost":{"amount":"25","currency":"JPY"},"exact_cost":"25","limit":"5",'
    '"metric":"m","price":{"price":"10","type":"PerUnit"},"quantity":"2.5",'
    '"tiers":[{"exact_cost":"25","quantity":"2.5","tier":{"price":"10","up_to":null}}],'
    '"type":"Overage","used":"7.5"}],"org_id":"org-1",'
    '"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z",'
    '"plan":{"allowances":[{"included":"5","metric":"m","price":{"price":"10",'
    '"type":"PerUnit"}}],"currency":"JPY","slug":"p"},"total":{"amount":"25",'
    '"currency":"JPY"},"type":"Statement","version":"1"}'
)
TERMS = Plan(
    "t",
    "JPY",
    {
        "seats": Allowance(None, PerUnit(0)),
        "tokens": Allowance(
            5, PerUnit(1), conversion=Conversion(divide=1000), included_per="seats",
            carry_over=CarryOver(7), proration="full", increment="0.5", increment_rounding="up",
            discounts=[Discount("welcome", quantity=3)], commitment=Commitment(quantity=9),
            maximum=Money(8, "JPY"), minimum=Money(6, "JPY"),
        ),
        "storage": Allowance(4, PerUnit(1), included_for=CYCLE),
    },
    discounts=[Discount("launch", percent="12.5")],
    maximum=Money(80, "JPY"),
    minimum=Money(60, "JPY"),
    proration="seconds",
)  # fmt: skip
TERMS_TEXT = (
    '{"allowances":[{"included":null,"metric":"seats","price":{"price":"0",'
    '"type":"PerUnit"}},{"carry_over":{"up_to":"7"},"commitment":{"quantity":"9"},'
    '"conversion":{"divide":"1000"},"discounts":[{"name":"welcome","quantity":"3"}],'
    '"included":"5","included_per":"seats","increment":"0.5","increment_rounding":"up",'
    '"maximum":{"amount":"8","currency":"JPY"},"metric":"tokens","minimum":{"amount":"6",'
    '"currency":"JPY"},"price":{"price":"1","type":"PerUnit"},"proration":"full"},'
    '{"included":"4","included_for":{"anchor":"2024-01-31T00:00:00Z","every":"2",'
    '"timezone":"Europe/Paris","unit":"week"},"metric":"storage","price":{"price":"1",'
    '"type":"PerUnit"}}],"currency":"JPY","discounts":[{"name":"launch","percent":"12.5"}],'
    '"maximum":{"amount":"80","currency":"JPY"},"minimum":{"amount":"60","currency":"JPY"},'
    '"proration":"seconds","slug":"t","type":"Plan","version":"1"}'
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
        Account("org-1", "p", limits={"b": 2, "a": 1}, since=SINCE),
        '{"limits":{"a":"1","b":"2"},"org_id":"org-1","plan":"p",'
        '"since":"2024-01-01T00:00:00Z","type":"Account","version":"1"}',
    ),
    (
        Account("org-1", "p", status="past_due", cycle=CYCLE, since=SINCE),
        '{"cycle":{"anchor":"2024-01-31T00:00:00Z","every":"2","timezone":"Europe/Paris",'
        '"unit":"week"},"org_id":"org-1","plan":"p","since":"2024-01-01T00:00:00Z",'
        '"status":"past_due","type":"Account","version":"1"}',
    ),
    (
        Account("org-1", "p", since=FEBRUARY.start),
        '{"org_id":"org-1","plan":"p",'
        '"since":"2024-02-01T00:00:00Z","type":"Account","version":"1"}',
    ),
    (
        Balance({"m": [CarriedUnits(-5, FEBRUARY)]}, [USAGE], [Burndown(FEBRUARY.end, "tokens")]),
        '{"burndowns":[{"at":"2024-03-01T00:00:00Z","metric":"tokens"}],'
        '"carried":{"m":[{"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z",'
        '"quantity":"-5"}]},"type":"Balance","used":[{"org_id":"org-1",'
        '"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z","quantities":{"runs":"7.5",'
        '"tokens":"750000"}}],"version":"1"}',
    ),
    (
        CYCLE,
        '{"anchor":"2024-01-31T00:00:00Z","every":"2","timezone":"Europe/Paris","type":"Cycle",'
        '"unit":"week","version":"1"}',
    ),
    (
        CarryOverResult(
            CarryOver(5, Fraction(1, 3), 2), [CarriedUnits("0.5", FEBRUARY, 1)], 3, 4,
            Period.month(2024, 3),
        ),
        '{"brought":[{"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z",'
        '"periods_left":"1","quantity":"0.5"}],"included":"3",'
        '"period":"2024-03-01T00:00:00Z/2024-04-01T00:00:00Z","rule":{"expires_after":"2",'
        '"share":"1/3","up_to":"5"},"type":"CarryOverResult","used":"4","version":"1"}',
    ),
    (
        CarriedUnits(-3, FEBRUARY),
        '{"period":"2024-02-01T00:00:00Z/2024-03-01T00:00:00Z","quantity":"-3",'
        '"type":"CarriedUnits","version":"1"}',
    ),
    (
        PoolShare("org-1", "tokens", 7, Money(5, "JPY")),
        '{"cost":{"amount":"5","currency":"JPY"},"metric":"tokens","org_id":"org-1",'
        '"type":"PoolShare","used":"7","version":"1"}',
    ),
    (
        Grant("g", Money(5, "EUR"), effective_at=FEBRUARY.start, recurrence=CYCLE, step="0.50"),
        '{"amount":{"amount":"0.05","currency":"EUR"},"effective_at":"2024-02-01T00:00:00Z",'
        '"id":"g","recurrence":{"anchor":"2024-01-31T00:00:00Z","every":"2",'
        '"timezone":"Europe/Paris","unit":"week"},"step":"0.5","type":"Grant","version":"1"}',
    ),
    (
        Burndown(
            FEBRUARY.end, "tokens", grants=[GrantState("g", 9, 5, 2, 1, filled_at=FEBRUARY.start)],
            overage=3, draws=[Draw("g", FEBRUARY.start, 5, covered=4)],
        ),
        '{"at":"2024-03-01T00:00:00Z",'
        '"draws":[{"at":"2024-02-01T00:00:00Z","covered":"4","grant_id":"g","quantity":"5"}],'
        '"grants":[{"drawn":"5","expired":"2","filled_at":"2024-02-01T00:00:00Z",'
        '"grant_id":"g","granted":"9","voided":"1"}],'
        '"metric":"tokens","overage":"3","type":"Burndown","version":"1"}',
    ),
    (
        ChainHead(17, "f" * 64),
        '{"digest":"' + "f" * 64 + '","sequence":"17","type":"ChainHead","version":"1"}',
    ),
    (
        Summary("EUR", {"m": MetricTotal(10**30, Money(0, "EUR"))}),
        '{"currency":"EUR","metrics":{"m":{"cost":{"amount":"0.00","currency":"EUR"},'
        '"quantity":"1000000000000000000000000000000"}},"total":{"amount":"0.00",'
        '"currency":"EUR"},"type":"Summary","version":"1"}',
    ),
    (
        Charge([TierCharge(Tier(None, 2, size=3), 4)]),
        '{"tiers":[{"exact_cost":"4","quantity":"4","tier":{"price":"2","size":"3",'
        '"up_to":null}}],"type":"Charge","version":"1"}',
    ),
    (
        Exchanged(PerUnit(2), "0.5", per=3),
        '{"per":"3","price":{"price":"2","type":"PerUnit"},"rate":"0.5","type":"Exchanged",'
        '"version":"1"}',
    ),
    (
        Conversion(divide=1000, increment="0.01", minimum=5),
        '{"divide":"1000","increment":"0.01","minimum":"5","type":"Conversion","version":"1"}',
    ),
    (
        TransactionFee("1.3", free_events=3),
        '{"free_events":"3","percent":"1.3","type":"TransactionFee","version":"1"}',
    ),
    (
        Volume([Tier(None, 2)], flat_at_zero=True),
        '{"flat_at_zero":true,"tiers":[{"price":"2","up_to":null}],"type":"Volume","version":"1"}',
    ),
]  # fmt: skip


def faults(text: str | bytes, expected: type = object, codec: Codec | None = None) -> list[str]:
    with pytest.raises(OveragesError) as caught:
        (codec or Codec()).decode(text, expected)
    return [str(error) for error in caught.value.errors]
