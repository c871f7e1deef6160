"""The forms of accounts, usage and balances: what is refused, and by which path."""

from json import dumps, loads

import pytest
from tests.texts import CYCLE, FEBRUARY, USAGE_TEXT, faults

from overages import Account, Balance, Period, Usage
from overages.codec import decode, encode
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown


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
    ("old", "new", "message"),
    [
        ('"runs":"7.5"', '"tokens":"7.5"', "quantities.tokens: must be given once, got '750000'"),
        ('"runs":"7.5"', '"":"7.5"', "quantities.<name>: must not be empty, got ''"),
        (
            '"runs":"7.5"',
            '"\\n":"7.5"',
            "quantities.<name>: must not hold a control character (U+000A)",
        ),
        ('"runs":"7.5"', '"runs":"-7.5"', "quantities.runs: must not be negative, got -7.5"),
        ('"runs":"7.5"', '"runs":"7.50"', 'quantities.runs: must be "7.5", got '),
        ('{"runs":"7.5","tokens":"750000"}', "null", "quantities: must be a mapping, got None"),
    ],
)
def test_a_fault_of_a_mapping_is_named_with_its_path(old: str, new: str, message: str) -> None:
    (found,) = faults(USAGE_TEXT.replace(old, new))
    assert found.startswith(message)


def test_a_balance_is_kept_sorted_and_without_what_is_empty() -> None:
    usages = [Usage("o", Period.month(2024, n), {}) for n in (1, 2)]
    burndowns = [Burndown(FEBRUARY.end, metric) for metric in ("a", "b")]
    tree = loads(encode(Balance({}, usages, burndowns)))
    others = {
        "carried": {"m": []},
        "used": tree["used"][::-1],
        "burndowns": tree["burndowns"][::-1],
    }
    faults = {
        "carried": "left out where it says nothing new",
        "used": "sorted",
        "burndowns": "sort",
    }
    for key, value in others.items():
        with pytest.raises(InvalidValue, match=f"^{key}: must be {faults[key]}"):
            decode(dumps({**tree, key: value}), Balance)
