"""The exit statuses, as they are and as they are told."""

import re

from overages.commands.desk import outcome


def test_each_exit_status_is_told_once() -> None:
    values = [each for name, each in vars(outcome).items() if name.isupper() and name != "STATUSES"]
    told = re.findall(r"^ +(\d+) ", outcome.STATUSES, re.MULTILINE)
    assert [int(number) for number in told] == sorted(values) == [0, 1, 2, 3, 4, 5, 130]


def test_a_stop_carries_a_status() -> None:
    assert outcome.Stop(outcome.NOTHING).status == 3
