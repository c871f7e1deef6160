"""The forms of accounts, usage and balances: what is refused, and by which path."""

from dataclasses import dataclass
from json import dumps, loads

import pytest
from tests.since import SINCE
from tests.texts import CYCLE, FEBRUARY, USAGE_TEXT, faults

from overages import Account, Balance, Metric, Period, Usage
from overages.codec import Codec, decode, encode
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown
from overages.prices.tier import Charge


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
    text = encode(Account("org-1", "p", status="past_due", cycle=CYCLE, since=SINCE)).decode()
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


def test_values_of_a_dimension_are_written_once() -> None:
    metric = Metric("large", event="calls", where={"model": ["a", "b"]})
    text = encode(metric).decode()
    (found,) = faults(text.replace('["a","b"]', '["b","a","b"]'))
    assert found == "where.model: must be [\"a\", \"b\"], got ['b', 'a', 'b']"


@dataclass(frozen=True)
class Filled:
    """A price model of a host's own that fills in what it isn't told."""

    price: int = 5
    twice: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", self.twice or 2 * self.price)

    def charge(self, quantity: object, /) -> Charge:
        raise NotImplementedError


def test_a_default_that_is_not_what_is_kept_is_written() -> None:
    codec = Codec(price_models=[Filled])
    assert codec.encode(Filled()) == b'{"twice":"10","type":"Filled","version":"1"}'
    assert faults('{"type":"Filled","version":"1"}', codec=codec) == [
        'twice: must be "10", got None'
    ]
