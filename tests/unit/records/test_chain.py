"""Chains: the digest of a record, and how a chain shows what was done to it."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

import pytest
from tests.recorded import stored
from tests.told import told

from overages import Money, OverageRecord, Period
from overages.errors import InvalidType, InvalidValue, InvalidValues, RecordsAltered
from overages.records.chain import (
    CHAIN_START,
    COLUMNS,
    ChainHead,
    Link,
    row_digest,
    row_of,
    verify_chain,
)

FEBRUARY = Period.month(2024, 2)
RECORD = OverageRecord(
    "org-1",
    FEBRUARY,
    "tokens",
    quantity=Decimal("250000.5"),
    cost=Money(2500, "USD"),
    exact_cost=Fraction(7, 60),
    unit_price=None,
    plan="größer",
    plan_version=3,
    revision=2,
    created_at=datetime(2024, 3, 1, 12, 0, 0, 50, UTC),
    digest="0" * 64,
)
ROW = (
    *("org-1", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", "tokens", "overage", 2),
    *("250000.5", None, "7/60", "2500", "USD", 2, "größer", 3, 1, "2024-03-01T12:00:00.000050Z"),
)
TEXT = """\
org-1
2024-02-01T00:00:00Z
2024-03-01T00:00:00Z
tokens
overage
2
250000.5
null
7/60
2500
USD
2
größer
3
1
2024-03-01T12:00:00.000050Z"""
PREVIOUS = "0123456789abcdef" * 4
MINIMUM = stored(
    "org-1", FEBRUARY, None, quantity=0, cost=Money(5, "USD"), exact_cost=1, line="minimum"
)


def charge(sequence: int, **named: Any) -> OverageRecord:
    """Return a record at a place of the chain."""
    usual: dict[str, Any] = {
        "quantity": sequence,
        "cost": Money(100 * sequence, "USD"),
        "exact_cost": sequence,
        "unit_price": 1,
        "sequence": sequence,
    }
    return stored("org-1", FEBRUARY, "tokens", **{**usual, **named})


def link(row: tuple[Any, ...], digest: Any) -> Link:
    """Return a record as a link."""
    return Link(row[COLUMNS.index("sequence")], row, digest)


def chain(*records: OverageRecord) -> list[Link]:
    """Return the links of records, one following on the other."""
    links: list[Link] = []
    for record in records:
        row = row_of(record)
        links.append(link(row, row_digest(row, links[-1].digest if links else CHAIN_START.digest)))
    return links


def head_of(links: list[Link]) -> ChainHead:
    return ChainHead(len(links), links[-1].digest)


def changed(row: tuple[Any, ...], column: str, value: Any) -> tuple[Any, ...]:
    """Return a row with something else in a column."""
    at = COLUMNS.index(column)
    return (*row[:at], value, *row[at + 1 :])


LINKS = chain(*(charge(n) for n in range(1, 6)))
HEAD = head_of(LINKS)


def said(links: list[Link], head: ChainHead = HEAD, noted: ChainHead | None = None) -> str:
    """Return what is said of a chain that was tampered with, whatever order it is read in."""
    found = set()
    for given in (links, links[::-1]):
        with pytest.raises(RecordsAltered) as caught:
            verify_chain("org-1", given, head, noted)
        assert caught.value.org_id == "org-1"
        found.add(f"{caught.value.sequence} {caught.value.problem}")
        assert str(caught.value) == f"org-1: record {caught.value.sequence} {caught.value.problem}"
    (text,) = found
    return text


# Rows and digests


def test_a_row_has_the_columns_of_a_record_in_their_one_spelling() -> None:
    assert row_of(RECORD) == ROW
    assert len(COLUMNS) == len(ROW)
    named = dict(zip(COLUMNS, ROW, strict=True))
    assert (named["amount"], named["cost"], named["currency_exponent"]) == ("250000.5", "2500", 2)


def test_a_digest_is_of_the_digest_before_and_the_columns_line_by_line() -> None:
    assert row_digest(ROW, PREVIOUS) == sha256(f"{PREVIOUS}\n{TEXT}".encode()).hexdigest()


def test_a_digest_is_the_same_for_ever() -> None:  # as `sha256sum` has it
    assert row_digest(ROW, CHAIN_START.digest) == (
        "dd49a703ea836651a0507680e3cd7f686e537719bb40594466731cd410faf0f7"
    )


def test_an_adjustment_of_all_metrics_has_an_empty_one_in_its_row() -> None:
    assert row_of(MINIMUM)[3:5] == ("", "minimum")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_digest_depends_on_every_column(column: str) -> None:
    value = dict(zip(COLUMNS, ROW, strict=True))[column]
    other = value + 1 if isinstance(value, int) else f"{value or ''}1"
    assert row_digest(changed(row_of(RECORD), column, other), PREVIOUS) != row_digest(ROW, PREVIOUS)


def test_a_digest_depends_on_the_one_before() -> None:
    assert row_digest(ROW, PREVIOUS) != row_digest(ROW, CHAIN_START.digest)


# Heads


def test_an_empty_chain_ends_before_its_first_record() -> None:
    assert (CHAIN_START.sequence, CHAIN_START.digest) == (0, "0" * 64)


def test_a_head_has_a_place_and_a_digest() -> None:
    assert (HEAD.sequence, HEAD.digest) == (5, LINKS[-1].digest)
    bad: Any = True
    with pytest.raises(InvalidType, match=r"^sequence: must be an int, got True$"):
        ChainHead(bad, PREVIOUS)
    with pytest.raises(InvalidValue, match=r"^digest: must be 64 lower-case hexadecimal digits"):
        ChainHead(1, PREVIOUS[1:])
    with pytest.raises(InvalidValues) as caught:
        ChainHead(-1, "")
    assert "sequence: must be from 1 to" in told(caught.value)
    with pytest.raises(InvalidValue, match=r"^digest: must be 64 zeros where there is no"):
        ChainHead(0, PREVIOUS)


# Verifying


def test_a_whole_chain_is_counted_in_any_order() -> None:
    assert verify_chain("org-1", LINKS, HEAD) == 5
    assert verify_chain("org-1", iter(LINKS[::-1]), HEAD) == 5
    assert verify_chain("org-1", [], CHAIN_START) == 0


@pytest.mark.parametrize("at", range(1, 6))
def test_a_chain_leads_back_to_a_head_that_was_noted(at: int) -> None:
    assert verify_chain("org-1", LINKS, HEAD, head_of(LINKS[:at])) == 5


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("column", [each for each in COLUMNS if each != "sequence"])
def test_the_record_in_which_anything_was_changed_is_named(column: str, at: int) -> None:
    _, row, digest = LINKS[at]
    value = row[COLUMNS.index(column)]
    other = value + 1 if isinstance(value, int) else f"{value}1"
    links = [*LINKS[:at], link(changed(row, column, other), digest), *LINKS[at + 1 :]]
    assert said(links) == f"{at + 1} is not what was recorded"


@pytest.mark.parametrize("at", range(5))
def test_a_changed_record_with_a_digest_made_anew_shows_in_the_next(at: int) -> None:
    before = LINKS[at - 1].digest if at else CHAIN_START.digest
    row = changed(LINKS[at].columns, "cost", "1")
    links = [*LINKS[:at], link(row, row_digest(row, before)), *LINKS[at + 1 :]]
    assert said(links) == f"{min(at + 2, 5)} is not what was recorded"


@pytest.mark.parametrize("at", range(5))
def test_a_record_that_was_removed_is_named(at: int) -> None:
    assert said([*LINKS[:at], *LINKS[at + 1 :]]) == f"{at + 1} is missing"


def test_records_that_were_all_removed_are_missed() -> None:
    assert said([]) == "1 is missing"
    assert said([], CHAIN_START, HEAD) == "1 is missing"


@pytest.mark.parametrize(("one", "other"), [(0, 1), (0, 4), (2, 3), (3, 4)])
def test_records_that_were_swapped_are_named_by_the_first(one: int, other: int) -> None:
    links = list(LINKS)
    for at, source in [(one, other), (other, one)]:
        _, row, digest = LINKS[source]
        links[at] = link(changed(row, "sequence", at + 1), digest)
    assert said(links) == f"{one + 1} is not what was recorded"


@pytest.mark.parametrize("at", range(5))
def test_a_record_that_is_there_twice_is_named(at: int) -> None:
    assert said([*LINKS, LINKS[at]]) == f"{at + 1} is there twice"


@pytest.mark.parametrize("at", range(5))
def test_a_record_that_was_inserted_is_found_at_its_place(at: int) -> None:
    row = changed(LINKS[at].columns, "cost", "1")
    digest = row_digest(row, LINKS[at - 1].digest if at else CHAIN_START.digest)
    for links in ([*LINKS, link(row, digest)], [link(row, digest), *LINKS]):
        with pytest.raises(RecordsAltered) as caught:
            verify_chain("org-1", links, HEAD)
        assert caught.value.sequence in {at + 1, at + 2}  # which of the two is the true one?


def test_a_record_that_was_added_at_the_end_is_named() -> None:
    longer = chain(*(charge(n) for n in range(1, 7)))
    assert said(longer) == "6 was never recorded"
    assert said(LINKS[:1], CHAIN_START) == "1 was never recorded"


def test_a_chain_that_was_made_anew_is_not_the_one_that_was_recorded() -> None:
    anew = chain(*(charge(n, cost=Money(1, "USD")) for n in range(1, 6)))
    assert said(anew) == "5 is not what was recorded"
    assert verify_chain("org-1", anew, head_of(anew)) == 5
    for at in range(1, 6):
        assert said(anew, head_of(anew), head_of(LINKS[:at])) == f"{at} is not what was recorded"


def test_a_chain_that_was_cut_off_is_shorter_than_what_was_noted() -> None:
    assert verify_chain("org-1", LINKS[:3], head_of(LINKS[:3])) == 3
    assert said(LINKS[:3], head_of(LINKS[:3]), HEAD) == "4 is missing"


def test_the_first_of_several_faults_is_named() -> None:
    links = [
        LINKS[0],
        link(changed(LINKS[1].columns, "cost", "1"), LINKS[1].digest),
        LINKS[4],
        LINKS[4],
    ]
    assert said(links) == "2 is not what was recorded"
    assert said([LINKS[0], LINKS[4], LINKS[4]]) == "2 is missing"


DAMAGE: list[Any] = [None, b"\xff", "\ud800", 5, 1.5, [], {}, object(), float("nan")]


@pytest.mark.parametrize("value", DAMAGE, ids=lambda value: re.sub(" at .*>", ">", ascii(value)))
@pytest.mark.parametrize("column", ["org_id", "metric_type", "currency", "plan", "cost"])
def test_a_column_that_holds_what_it_never_should_is_found(column: str, value: Any) -> None:
    _, row, digest = LINKS[2]
    links = [*LINKS[:2], link(changed(row, column, value), digest), *LINKS[3:]]
    assert said(links) == "3 is not what was recorded"


@pytest.mark.parametrize("place", [None, "3", b"3", 3.0, True, 0, -1, 2**70, float("nan")])
def test_a_place_that_is_none_is_found(place: Any) -> None:
    _, row, digest = LINKS[2]
    links = [*LINKS[:2], link(changed(row, "sequence", place), digest), *LINKS[3:]]
    with pytest.raises(RecordsAltered):
        verify_chain("org-1", links, HEAD)


@pytest.mark.parametrize("digest", [None, "", "0" * 64, LINKS[0].digest, b"\xff"])
def test_a_digest_that_was_changed_is_found(digest: Any) -> None:
    assert (
        said([*LINKS[:2], link(LINKS[2].columns, digest), *LINKS[3:]])
        == "3 is not what was recorded"
    )
