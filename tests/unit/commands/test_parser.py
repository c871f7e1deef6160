"""The command line: its commands, what goes wrong with them, and the exit status."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from tests.desk import HEADER, Desk, NearDesk

import overages
from overages.adapters.sqlite import SqliteRepository
from overages.commands import show
from overages.commands.desk.completion import commands_of
from overages.commands.desk.outcome import STATUSES
from overages.commands.desk.sums import UsageSums
from overages.commands.desk.terminal import say
from overages.commands.parser import command_parser, main
from overages.errors import InvalidValue
from overages.service.overage_service import OverageService

COMMANDS = list(commands_of(command_parser()))
USAGE = "acme,tokens,350,2024-02-10T00:00:00Z"


def closed(desk: NearDesk) -> list[str]:
    desk.usage("u.csv", USAGE)
    return ["close", "--db", "b.db", "--plans", "plans.toml", "--usage", "u.csv"]


@pytest.mark.parametrize("command", [[], *[[name] for name in COMMANDS]], ids=" ".join)
def test_help_tells_the_exit_statuses(desk: NearDesk, command: list[str]) -> None:
    status, out, err = desk.run(*command, "--help")
    assert (status, err) == (0, "")
    assert STATUSES in out
    assert out.startswith(" ".join(["usage: overages", *command]))


def test_the_version_is_printed(desk: NearDesk) -> None:
    assert desk.run("--version") == (0, f"overages {overages.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "the following arguments are required: command"),
        ("clsoe", "(did you mean 'close'?)"),
        ("rate --plans p --usage u --format jsn", "(did you mean 'json'?)"),
        ("--completion bsh", "(did you mean 'bash'?)"),
        ("close --db x --forc", "unrecognized arguments: --forc (did you mean '--force'?)"),
        ("ingest u.csv --db x --new-org", "(did you mean '--new-orgs'?)"),
        ("show --db x --period 2024-13", "argument --period: "),
        ("close --db x --until yesterday", "argument --until: instant: must be an ISO 8601 time"),
        ("ingest --db x", "the following arguments are required: FILE"),
        ("export all --db x", "argument kind: invalid choice: 'all'"),
        ("ingest u.csv --db x --late never", "argument --late: invalid choice: 'never'"),
    ],
)
def test_a_command_line_that_is_wrong_is_answered_with_its_usage(
    desk: NearDesk, arguments: str, said: str
) -> None:
    before = desk.content()
    status, out, err = desk.run(*arguments.split())
    assert (status, out) == (2, "")
    assert err.startswith("usage: overages")
    assert said in err
    assert desk.content() == before


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_what_names_no_file_is_a_wrong_argument(desk: NearDesk, path: str) -> None:
    status, _, err = desk.run("migrate", "--db", path)
    assert (status, err.splitlines()[-1]) == (
        2,
        "overages migrate: error: argument --db: must name a file",
    )


# Interrupted


@pytest.fixture
def interruptible() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


STOPPED = "overages: interrupted; what it was doing was taken back: run it again to go on\n"


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("name", ["record_usage", "close_ended", "stale"])
def test_ctrl_c_says_one_line_and_leaves_nothing_half_done(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    command = [*closed(desk), "--until", "2024-03-01"]
    work = getattr(OverageService, name)

    def interrupted(*args: object, **named: object) -> None:
        work(*args, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(OverageService, name, interrupted)
        status, _, err = desk.run(*command, "--force")
        assert (status, err) == (130, STOPPED)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # another one changes nothing
    assert desk.bills() in ({}, {"acme 2024-02-01": "2.50"})
    desk.done(*command)
    assert desk.bills() == {"acme 2024-02-01": "2.50"}


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_usage_is_put_takes_all_of_it_back(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    desk.usage("u.csv", USAGE)
    before = desk.content()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SqliteRepository, "put_batch", interrupted)
    assert desk.run("ingest", "u.csv", "--db", "b.db") == (130, "", STOPPED)
    assert desk.content() == before


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_of_a_command_that_writes_nothing_says_that_alone(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.usage("u.csv", USAGE)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(UsageSums, "put", interrupted)
    ran = desk.run("rate", "--plans", "plans.toml", "--usage", "u.csv")
    assert ran == (130, "", "overages: interrupted\n")


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_says_its_line_once_a_progress_bar_is_gone(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bar() -> Iterator[None]:
        try:
            yield
        finally:
            say("erased")

    def interrupted(_: object) -> None:
        for _ in bar():
            raise KeyboardInterrupt

    monkeypatch.setattr(show, "run", interrupted)
    assert desk.run("show", "--db", "b.db") == (130, "", "erased\noverages: interrupted\n")


def test_ctrl_c_in_a_thread_that_cannot_be_told_is_said_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(show, "run", interrupted)
    statuses = list[int]()
    thread = Thread(target=lambda: statuses.append(main(["show", "--db", "b.db"])))
    thread.start()
    thread.join()
    assert statuses == [130]


def test_ctrl_c_while_standard_input_is_read_says_one_line(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    process = desk.start("ingest", "-", "--db", "b.db")
    assert process.stdin is not None
    process.stdin.write(HEADER + "\n" * 1_000_000)  # which no pipe holds: it is being read
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", STOPPED)


# What fails around a command


def test_a_database_that_is_not_ours_is_named_and_left(desk: NearDesk) -> None:
    desk.write("b.db", b"SQLite format 3\0" + b"\0" * 10_000)
    before = desk.content()
    for command in ("show", "verify", "status"):
        status, out, err = desk.run(command, "--db", "b.db")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("b.db: ")
    assert desk.content() == before


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="whoever runs it may write everywhere"
)
def test_a_database_that_cannot_be_written_is_named(desk: NearDesk) -> None:
    desk.done(*closed(desk), "--until", "2024-02-01")
    (desk.folder / "b.db").chmod(0o400)
    status, _, err = desk.run("close", "--db", "b.db", "--until", "2024-03-01")
    assert (status, err.startswith("b.db: ")) == (1, True)


def test_an_error_that_names_no_source_is_said(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(_: object) -> None:
        raise InvalidValue("org_id", "x", "must be another")

    monkeypatch.setattr(show, "run", wrong)
    assert desk.run("show", "--db", "b.db") == (
        1,
        "",
        "overages: org_id: must be another, got 'x'\n",
    )


def test_an_output_that_has_not_all_letters_is_named(desk: NearDesk) -> None:
    desk.usage("u.csv", "東,tokens,200,2024-02-10T00:00:00Z")
    command = ["rate", "--plans", "plans.toml", "--usage", "u.csv", "--new-orgs"]
    process = Desk(desk.folder).start(*command, PYTHONIOENCODING="ascii")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith("overages: 'ascii' codec can't encode character")
    assert err.count("\n") == 1


def test_a_reader_that_has_had_enough_is_no_crash(desk: NearDesk) -> None:
    desk.usage("u.csv", *(f"{n},tokens,200,2024-02-10T00:00:00Z" for n in range(3_000)))
    command = ["rate", "--plans", "plans.toml", "--usage", "u.csv", "--new-orgs"]
    with Desk(desk.folder).start(*command) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_table_fits_80_columns(desk: NearDesk) -> None:
    command = [*closed(desk), "--until", "2024-03-01"]
    desk.done(*command)
    for shown in (["show"], ["status"], ["explain", "--org", "acme", "--period", "2024-02"]):
        out = desk.run(*shown, "--db", "b.db").out
        assert max(map(len, out.splitlines())) <= 80


# Completion


def test_the_bash_completion_completes_commands_and_options(desk: NearDesk) -> None:
    desk.write("completion", desk.run("--completion", "bash").out)
    desk.usage("usage.csv")

    def completed(*words: str) -> list[str]:
        typed = " ".join(f"'{word}'" for word in words)
        script = (
            f"source ./completion; COMP_WORDS=(overages {typed}); COMP_CWORD={len(words)};"
            ' _overages; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        ran = subprocess.run(
            ["bash", "-c", script], cwd=desk.folder, capture_output=True, text=True, check=True
        )
        assert ran.stderr == ""
        return ran.stdout.split()

    assert completed("")[: len(COMMANDS)] == COMMANDS
    assert completed("s") == ["status", "show", "schema"]
    assert completed("--v") == ["--version"]
    assert completed("close", "--f") == ["--force"]
    assert completed("close", "--u") == ["--usage", "--until"]
    assert completed("close", "--usage", "us") == []  # then bash completes the name of a file
    assert "--force" not in completed("show", "")
    assert completed("nothing", "--f") == []


def test_the_zsh_completion_is_that_of_bash(desk: NearDesk) -> None:
    bash, zsh = (desk.run("--completion", shell).out for shell in ("bash", "zsh"))
    assert zsh == f"autoload -U bashcompinit && bashcompinit\n{bash}"


def test_the_fish_completion_has_a_line_for_each_command_and_option(desk: NearDesk) -> None:
    lines = desk.run("--completion", "fish").out.splitlines()
    assert "complete -c overages -n __fish_use_subcommand -f -a close" in lines
    assert "complete -c overages -n '__fish_seen_subcommand_from close' -l force" in lines
    assert len(lines) == len(COMMANDS) + sum(
        name.startswith("--")
        for command in commands_of(command_parser()).values()
        for name in command._option_string_actions
    )


def test_the_module_is_a_program() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "overages", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"overages {overages.__version__}\n"


@pytest.mark.parametrize("command", ["close", "status", "export"])
def test_dates_are_told_to_be_in_utc(desk: NearDesk, command: str) -> None:
    told = " ".join(desk.run(command, "--help").out.split())
    assert "in UTC (default: now)" in told
