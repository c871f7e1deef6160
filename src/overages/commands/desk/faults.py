"""Faults of a file: one message for each cause, at most twenty of a kind, then their number.

faults = Faults("usage.csv")
faults.add(error, line=7)
faults.stop_if_any("nothing was written")
"""

from __future__ import annotations

from typing import Final, TypeAlias

from overages.amounts.money import Money
from overages.commands.desk.outcome import WRONG, Stop
from overages.commands.desk.terminal import say
from overages.errors import NoTerms, OveragesError, UnknownPlan, shown

MOST_OF_A_KIND: Final = 20

_Cause: TypeAlias = tuple[object, ...]


class Faults:
    """The faults of a source, in the order in which they were noted.

    :param source: the name of the file or of the database.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._messages: dict[_Cause, str] = {}
        self._counts: dict[_Cause, int] = {}
        self._kinds: dict[_Cause, int] = {}  # the causes of each kind that are shown
        self._untold: dict[_Cause, int] = {}  # faults of each kind beyond them
        self.count: int = 0
        """The number of faults so far."""

    def add(self, error: OveragesError, line: int | None = None) -> None:
        """Note an error, or all that it gathers.

        :param line: the line of the file that it is about.
        """
        place = self._source if line is None else f"{self._source}:{line}"
        for each in error.errors:
            self.count += 1
            cause = _cause_of(each)
            if cause in self._counts:
                self._counts[cause] += 1
                continue
            kind = type(each), *[step for step in each.path if isinstance(step, str)][-1:]
            shown = self._kinds.get(kind, 0)
            if shown == MOST_OF_A_KIND:
                self._untold[kind] = self._untold.get(kind, 0) + 1
                continue
            self._kinds[kind] = shown + 1
            self._counts[cause] = 1
            self._messages[cause] = f"{place}: {written(each)}"

    def stop_if_any(self, consequence: str) -> None:
        """Say all faults, and stop, if there are any.

        :param consequence: the last line: that nothing was written, say.
        :raises Stop: if there is one.
        """
        if self.count:
            raise self.told(consequence)

    def told(self, consequence: str) -> Stop:
        """Say all faults, and how many there are; return the stop to raise."""
        self.say()
        say(f"{self._source}: faults: {self.count:,}; {consequence}")
        return Stop(WRONG)

    def say(self) -> None:
        """Say all faults that were noted."""
        for cause, message in self._messages.items():
            more = self._counts[cause] - 1
            rows = f" (and {more:,} more like it)" if more else ""
            say(f"{message}{rows}")
        for (kind, *field), untold in self._untold.items():
            about = f" of {field[0]}" if field else ""
            say(f"{self._source}: and {untold:,} more{about} ({_name_of(kind)})")


def written(error: OveragesError) -> str:
    """Write an error, with an amount of money as a file has it: 10.00 GBP."""
    amount = getattr(error, "value", None)
    if not isinstance(amount, Money):
        return str(error)
    return f"{str(error).removesuffix(shown(amount))}{amount}"


def _cause_of(error: OveragesError) -> _Cause:
    """Return the cause of an error: errors of one cause have one message."""
    if isinstance(error, NoTerms | UnknownPlan) and error.org_id is not None:
        return type(error), error.org_id  # each of its rows names another instant
    return type(error), str(error)


def _name_of(kind: object) -> str:
    return getattr(kind, "__name__", str(kind))


def refuse(source: str, error: OveragesError, consequence: str | None = None) -> Stop:
    """Say everything that is wrong with a source; return the stop to raise.

    :param consequence: the last line, with the number of faults; None for none.
    """
    faults = Faults(source)
    faults.add(error)
    if consequence is not None:
        return faults.told(consequence)
    faults.say()
    return Stop(WRONG)
