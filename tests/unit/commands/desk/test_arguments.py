"""The arguments of commands, as they are read."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from overages.commands.desk.arguments import (
    STANDARD_INPUT,
    to_instant,
    to_name,
    to_path,
    to_period,
    to_source,
)


def test_a_file_is_named_or_standard_input_is() -> None:
    assert to_path("-") == Path("-")
    assert to_source("-") == STANDARD_INPUT
    assert to_source("u.csv") == Path("u.csv")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-03-01", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-01T00:00:00+01:00", datetime(2024, 2, 29, 23, tzinfo=UTC)),
    ],
)
def test_a_date_is_its_beginning_in_utc(text: str, instant: datetime) -> None:
    assert to_instant(text) == instant


def test_a_period_stays_a_text_until_its_timezone_is_known() -> None:
    assert to_period("2024-02") == "2024-02"


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (to_path, "", "must name a file"),
        (to_path, "a\0b", "must name a file"),
        (to_source, "", "must name a file"),
        (to_instant, "yesterday", "must be an ISO 8601 time"),
        (to_instant, "2024-02-30", "must be"),
        (to_instant, "2024-02-01T00:00:00", "must"),
        (to_period, "2024-13", "must be"),
        (to_period, "2024-03-01/2024-02-01", "must"),
        (to_name, " a", "must not have a space at an end"),
        (to_name, "", "must"),
    ],
)
def test_a_text_that_is_none_is_refused(
    read: Callable[[str], object], text: str, said: str
) -> None:
    with pytest.raises(ArgumentTypeError, match=said):
        read(text)
