"""What is wrong with a file: one message for each cause, at most twenty of a kind."""

import pytest

from overages.commands.desk.faults import Faults, refuse
from overages.commands.desk.outcome import WRONG, Stop
from overages.errors import InvalidType, InvalidValue, InvalidValues, NoTerms, UnknownPlan


@pytest.fixture
def faults() -> Faults:
    return Faults("u.csv")


def said(faults: Faults, capsys: pytest.CaptureFixture[str]) -> list[str]:
    faults.say()
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def bad(value: str, field: str = "quantity") -> InvalidValue:
    return InvalidValue(field, value, "must be a number")


def test_without_faults_nothing_is_said(faults: Faults, capsys: pytest.CaptureFixture[str]) -> None:
    faults.stop_if_any("nothing was written")
    assert said(faults, capsys) == []


def test_a_fault_is_named_with_its_line(faults: Faults, capsys: pytest.CaptureFixture[str]) -> None:
    faults.add(bad("x"), line=7)
    faults.add(bad("y"))
    assert said(faults, capsys) == [
        "u.csv:7: quantity: must be a number, got 'x'",
        "u.csv: quantity: must be a number, got 'y'",
    ]


def test_rows_of_one_cause_are_counted(faults: Faults, capsys: pytest.CaptureFixture[str]) -> None:
    for line in range(2, 1_236):
        faults.add(bad("x"), line)
    faults.add(bad("y"), 1_236)
    assert said(faults, capsys) == [
        "u.csv:2: quantity: must be a number, got 'x' (and 1,233 more like it)",
        "u.csv:1236: quantity: must be a number, got 'y'",
    ]
    assert faults.count == 1_235


def test_an_error_that_gathers_several_is_told_as_several(
    faults: Faults, capsys: pytest.CaptureFixture[str]
) -> None:
    faults.add(InvalidValues([bad("x"), bad("y", "timestamp")]), 2)
    assert faults.count == 2
    assert len(said(faults, capsys)) == 2


def test_of_a_kind_twenty_are_shown_and_the_others_counted(
    faults: Faults, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in range(25):
        faults.add(bad(str(line)), line)
        faults.add(InvalidType(("rows", line, "at"), line, "must be a text"), line)
    faults.add(bad("0"), 99)
    faults.add(InvalidValue((), 1, "must be more"), 99)
    lines = said(faults, capsys)
    assert len(lines) == 20 + 20 + 1 + 2
    assert lines[0].endswith("got '0' (and 1 more like it)")
    assert lines[-2:] == [
        "u.csv: and 5 more of quantity (InvalidValue)",
        "u.csv: and 5 more of at (InvalidType)",
    ]


def test_a_kind_without_a_field_is_counted_too(
    faults: Faults, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(21):
        faults.add(InvalidValue((3,), number, "must be more"))
    assert said(faults, capsys)[-1] == "u.csv: and 1 more (InvalidValue)"


@pytest.mark.parametrize("kind", [NoTerms, UnknownPlan])
def test_of_an_org_without_terms_one_row_is_named(
    faults: Faults, capsys: pytest.CaptureFixture[str], kind: type[NoTerms | UnknownPlan]
) -> None:
    """Each of its rows names another instant."""
    for org_id in ("acme", "bolt"):
        for line in (2, 3, 4):
            faults.add(kind("at", f"t-{line}", "must be later").within(org_id=org_id), line)
    assert said(faults, capsys) == [
        "u.csv:2: acme: at: must be later, got 't-2' (and 2 more like it)",
        "u.csv:2: bolt: at: must be later, got 't-2' (and 2 more like it)",
    ]


def test_without_an_org_each_is_named(faults: Faults, capsys: pytest.CaptureFixture[str]) -> None:
    for line in (2, 3):
        faults.add(NoTerms("at", f"t-{line}", "must be later"), line)
    assert len(said(faults, capsys)) == 2


def test_faults_stop_a_command(faults: Faults, capsys: pytest.CaptureFixture[str]) -> None:
    faults.add(bad("x"), 2)
    with pytest.raises(Stop) as stopped:
        faults.stop_if_any("nothing was written")
    assert stopped.value.status == WRONG
    assert capsys.readouterr().err.splitlines() == [
        "u.csv:2: quantity: must be a number, got 'x'",
        "u.csv: faults: 1; nothing was written",
    ]


def test_a_single_error_is_said_and_gives_the_stop(capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse("u.csv", bad("x")).status == WRONG
    assert capsys.readouterr().err == "u.csv: quantity: must be a number, got 'x'\n"
