"""Objects: what is refused of a plan and its terms, and by which path."""

import pytest
from tests.texts import PLAN_TEXT, TERMS_TEXT, faults

from overages import Plan


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"slug":"größer"', '"slug":""', "slug: must not be empty, got ''"),
        ('"slug":"größer"', '"slug":5', "slug: must be a str, got 5"),
        ('"slug":"größer"', '"slug":"\\ud800"', "slug: must not hold a lone surrogate (U+D800)"),
        ('"slug":"größer",', "", "slug: must be given, got None"),
        ('"slug"', '"slog":1e5,"slug"', "slog: isn't known (did you mean 'slug'?); known here are"),
        ('"slug"', '"\\ud800\\n":"","slug"', "\\ud800\\n: isn't known; known here are slug, curr"),
        ('"slug"', f'"{"x" * 99}":"","slug"', f"{'x' * 80}: isn't known; known here are slug"),
        ('"slug"', '"slug":"a","slug"', "slug: must be given once, got 'größer'"),
        ('"half_even"', '"half"', "rounding: must be one of half_up, half_even, half_down, up, d"),
        ('"half_even"', "[]", "rounding: must be a str, got []"),
        ('"slug"', '"rounding_scope":"page","slug"', "rounding_scope: must be one of line, total"),
        ('"slug"', '"rounding_scope":true,"slug"', "rounding_scope: must be a str, got True"),
        ('"slug"', '"rounding_scope":"line","slug"', "rounding_scope: must be left out where it"),
        (
            '"49.00"',
            "49.00",
            "base_fee.amount: must be a plain decimal number such as 12.5, in a st",
        ),
        ('"49.00"', '"49.0"', "base_fee.amount: must be \"49.00\", got '49.0'"),
        ('"49.00"', '"49.005"', "base_fee.amount: must have at most 2 decimals in USD, or name a"),
        ('"49.00"', f'"{"9" * 1001}.00"', "base_fee.amount: must have at most 1000 digits on a si"),
        ('"49.00"', f'"{"9" * 9999}"', "base_fee.amount: must be a plain decimal number such as"),
        (
            '"amount":"49.00"',
            '"minor":"4900"',
            "base_fee.minor: isn't known; known here are amount,",
        ),
        ('"USD"}', '"usd"}', "base_fee.currency: must be an ISO 4217 code such as USD, or a Curre"),
        ('"USD"}', "5}", "base_fee.currency: must be a Currency or a code such as 'USD', got 5"),
        ('"USD"}', '{"code":"USD","exponent":"3"}}', "base_fee.currency.exponent: must be 2 for"),
        ('"USD"}', '{"code":"USD","exponent":"2"}}', 'base_fee.currency: must be "USD", got {'),
        ('"included":"500000"', '"included":null,"included":"5"', "allowances[0].included: must b"),
        ('"included":"500000"', '"included":"-5"', "allowances[0].included: must not be negative"),
        ('"included":"500000"', f'"included":"{"9" * 27}"', "allowances[0].included: must have at"),
        ('"metric":"runs"', '"metric":"tokens"', "allowances[1].metric: must be there once, got"),
        ('"type":"Package"', '"type":"Parcel"', "allowances[1].price.type: must be one of "),
        (',"type":"Package"', "", "allowances[1].price.type: must be one of "),
        ('"completed"', '"begun"', "allowances[1].price.count: must be one of started, completed"),
        ('"size":"100"', '"size":"0"', "allowances[1].price.size: must be more than zero, got 0"),
        ('"up_to":"1000"', '"up_to":"-1"', "allowances[0].price.tiers[0].up_to: must be more than"),
        ('"up_to":"1000"', '"up_to":1e3', "allowances[0].price.tiers[0].up_to: must be a plain "),
        (
            '"tiers":[',
            '"flat_at_zero":0,"tiers":[',
            "allowances[0].price.flat_at_zero: must be Tru",
        ),
        ('[{"included"', '[7,{"included"', "allowances[0]: must be a mapping, got 7"),
        ('"metric":"runs",', "", "allowances[1].metric: must be a str, got None"),
        ('"tiers":[', '"tiers":{},"_":[', "allowances[0].price.tiers: must be a list, got {}"),
    ],
)
def test_a_fault_of_a_plan_is_named_with_its_path(old: str, new: str, message: str) -> None:
    assert old in PLAN_TEXT
    found = faults(PLAN_TEXT.replace(old, new, 1), Plan)
    assert any(one.startswith(message) for one in found), found


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
        ('_per":"seats"', '_per":null', "allowances[1].included_per: must be left out where it"),
        ('_per":"seats"', '_per":"x"', "allowances.tokens.included_per: must be another metric"),
        ('"up_to":"7"', '"up_to":"-7"', "allowances[1].carry_over.up_to: must not be negative"),
        ('"quantity":"9"', '"true_up":1', "allowances[1].commitment.true_up: must be True or Fal"),
        ('"divide":"1000"', '"divide":"0"', "allowances[1].conversion.divide: must be more tha"),
        ('"unit":"week"', '"unit":"age"', "allowances[2].included_for.unit: must be one of hour"),
        ('"quantity":"3"', '"quantity":null', "allowances[1].discounts[0].percent: must be g"),
        ('"percent":"12.5"', '"percent":"101"', "discounts[0].percent: must be from 0 to 100"),
        ('"60"', '"90"', "minimum: must not be above the maximum, 80 JPY, got"),
        ('"80","currency":"JPY"}', '"80"}', "maximum.currency: must be given, got None"),
        ('"percent"', '"procent"', "discounts[0].procent: isn't known (did you mean 'percent'?); "),
    ],
)
def test_a_term_is_refused_by_its_path(old: str, new: str, message: str) -> None:
    assert old in TERMS_TEXT
    found = faults(TERMS_TEXT.replace(old, new, 1))
    assert any(fault.startswith(message) for fault in found), found


def test_currencies_that_clash_are_refused() -> None:
    text = PLAN_TEXT.replace('"currency":"USD","rounding"', '"currency":"EUR","rounding"')
    assert faults(text) == ["base_fee: EUR and USD can't be added or compared"]
