"""A desk: a folder with files and a database, and what the commands make of them."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple

import pytest

from overages.commands.parser import main

HEADER = "org_id,metric,quantity,timestamp\n"
WITH_IDS = "event_id,org_id,metric,quantity,timestamp\n"


class Ran(NamedTuple):
    """The exit status of a command, and all that it printed."""

    status: int
    out: str
    err: str


class Desk:
    """Writes files into a folder, and runs commands there as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        (self.folder / name).write_bytes(data)

    def usage(self, name: str, *rows: str, header: str = HEADER) -> None:
        self.write(name, header + "".join(f"{row}\n" for row in rows))

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """Start a command that goes on by itself."""
        return subprocess.Popen(
            [sys.executable, "-m", "overages", *arguments],
            cwd=self.folder,
            env=os.environ | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, sent: str = "") -> Ran:
        """Run a command to its end.

        :param sent: the text at its standard input.
        """
        process = self.start(*arguments)
        out, err = process.communicate(sent, timeout=60)
        return Ran(process.returncode, out, err)

    def done(self, *arguments: str) -> str:
        """Run a command that must succeed; return all that it printed."""
        ran = self.run(*arguments)
        assert ran.status == 0, ran
        return ran.err + ran.out

    def bills(self, *arguments: str) -> dict[str, str]:
        """Return the sums of all records, by org and first day of the period."""
        database = str(self.folder / "b.db")
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()):
            main(["export", "records", "--db", database, *arguments])
        sums: dict[str, int] = {}
        head, *rows = [line.split(",") for line in out.getvalue().splitlines()] or [[]]
        for row in rows:
            cells = dict(zip(head, row, strict=True))
            key = f"{cells['org_id']} {cells['period_start'][:10]}"
            sums[key] = sums.get(key, 0) + round(100 * float(cells["cost"]))
        return {key: f"{cents / 100:.2f}" for key, cents in sums.items()}


class NearDesk(Desk):
    """Runs the commands in the process of the tests."""

    def __init__(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        super().__init__(folder)
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def run(self, *arguments: str, sent: str | bytes = "") -> Ran:
        content = sent.encode() if isinstance(sent, str) else sent
        self._monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(content)))
        self._capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as left:  # as argparse does
            status = int(left.code or 0)
        return Ran(status, *self._capsys.readouterr())

    def content(self) -> dict[str, bytes]:
        """Return the content of all files, byte for byte."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}
