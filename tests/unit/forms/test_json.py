"""JSON of statements, records and summaries: what is refused, and by which path."""

import pytest
from tests.texts import RECORD_TEXT, STATEMENT_TEXT, faults

from overages import Money, Summary
from overages.codec import decode, encode
from overages.statements.summary import MetricTotal


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"used":"7.5"}', '"used":"-1"}', "lines[0].used: must not be negative, got -1"),
        ('"used":"7.5"}', '"used":"7","over":"2"}', "lines[0].over: isn't known; known here are t"),
        ('"quantity":"2.5","tiers"', '"quantity":"2","tiers"', "lines[0].quantity: must be 2.5, "),
        ('"exact_cost":"25","limit"', '"limit"', "lines[0].exact_cost: must be given, got None"),
        ('"exact_cost":"25","limit"', '"exact_cost":"2","limit"', "lines[0].exact_cost: must be 2"),
        ('"quantity":"2.5","tier"', '"quantity":"1","tier"', "lines[0].tiers[0].exact_cost: must "),
        (
            '"amount":"25","currency":"JPY"},"ex',
            '"amount":"1","currency":"JPY"},"ex',
            "lines[0].cost: must be 25 JPY, rounded, got",
        ),
        ('"total":{"amount":"25"', '"total":{"amount":"26"', "total: must be Money(25, 'JPY'), wh"),
        (
            '"type":"Overage"',
            '"type":"Overdraft"',
            "lines[0].type: must be one of Adjustment, Over",
        ),
        ('"slug":"p"', '"slug":"p","version":"1"', "plan.version: isn't known; known here are sl"),
        ('"slug":"p"', '"base_fee":"0","slug":"p"', "plan.base_fee: must be a mapping, got '0'"),
    ],
)
def test_a_fault_of_a_statement_is_named_with_its_path(old: str, new: str, message: str) -> None:
    assert old in STATEMENT_TEXT
    (found,) = faults(STATEMENT_TEXT.replace(old, new))
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"0123456789abcdef0', '"0123456789ABCDEF0', "digest: must be 64 lower-case hexadecimal"),
        ('"digest":"0', '"digest":"', "digest: must be 64 lower-case hexadecimal digits, got '1"),
        ('"revision":"2"', '"revision":"0"', "revision: must be from 1 to 2**63 - 1, got 0"),
        ('"revision":"2"', '"revision":2', "revision: must be a whole number, in a string, got 2"),
        ("54775807", "54775808", "sequence: must be from 1 to 2**63 - 1, got 9223372036854775808"),
        ('"plan_version":"3"', '"plan_version":"1"', "plan_version: must be left out where it say"),
        ('"plan":"größer"', '"plan":null', "plan: must be a str, got None"),
        ("00.000050Z", "00.00005Z", 'created_at: must be "2024-03-01T12:00:00.000050Z", got'),
    ],
)
def test_a_fault_of_a_record_is_named_with_its_path(old: str, new: str, message: str) -> None:
    assert old in RECORD_TEXT
    (found,) = faults(RECORD_TEXT.replace(old, new, 1))
    assert found.startswith(message)


def test_a_total_of_nothing_is_refused_for_a_summary_would_drop_it() -> None:
    text = encode(Summary("USD", {"m": MetricTotal(1, Money(0, "USD"))})).decode()
    (found,) = faults(text.replace('"quantity":"1"', '"quantity":"0"'))
    assert found.startswith("metrics.m: must be left out where it says nothing new, got {")


def test_an_adjustment_of_a_summary_that_costs_nothing_is_left_out() -> None:
    summary = Summary("EUR", {}, {"minimum": Money(5, "EUR")})
    text = encode(summary).decode()
    assert decode(text, Summary) == summary
    (found,) = faults(text.replace('"0.05"', '"0.00"'))
    assert found.startswith("adjustments: must be left out where it says nothing new, got {")
