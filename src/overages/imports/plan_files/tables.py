"""Tables of plans in TOML, before they are formed: laid over each other, version by version.

A plan that ``extends`` another one is laid over that one's own table, and each of its ``versions``
over the version before it, so that only the difference is written:

    [plans.pro]
    extends = "starter"
    drop = ["allowances.seats"]                       # taken out again
    allowances.runs.included = 1_000

    [[plans.pro.versions]]
    since = 2024-03-01T00:00:00Z
    allowances.runs.price.price = "0.60"

Tables are merged, all else is replaced: lists too, and a `price` that says its model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from overages._ground.jsontext import DEEPEST, entries, items
from overages._ground.parsing import Problems
from overages.errors import Field, InvalidValue, Path, UnknownPlan, at, did_you_mean
from overages.forms.scalars import INSTANT, read_text

Table = dict[str, Any]
"""A table of TOML, as it was written or as it was merged."""

OF_PLANS: Final = ("since", "extends", "drop", "versions")
"""The keys of a plan's table that are no terms of the plan."""

OF_VERSIONS: Final = ("since", "drop")
"""Those of the table of one of its versions."""


class Stage(NamedTuple):
    """A version of a plan, before it is formed.

    :param slug: of the plan.
    :param field: the path to its table, as it is written.
    :param table: its terms, all that it is laid over among them.
    :param since: when it comes into force; None for always.
    :param below: the stage that it is laid over: its faults are that one's.
    """

    slug: str
    field: Path
    table: Table
    since: Any
    below: Stage | None


class PlanTables:
    """The tables of plans in a file, and the stages that they come to.

    :param terms: the keys of plans.
    """

    def __init__(self, tables: Mapping[str, Any], field: Field, terms: tuple[str, ...]) -> None:
        self._tables, self._field, self._terms = tables, field, terms
        self._own: dict[str, Stage | None] = {}
        self.problems: Problems = Problems()

    def stages(self, slug: str) -> Iterator[Stage]:
        """Yield the stages of a plan, in order; none if they can't be worked out.

        Their faults are added to the `problems`.
        """
        stage = self._own_stage(slug, ())
        if stage is None:
            return
        yield stage
        for field, entry in self._versions(slug):
            since = entry.get("since")
            if since is None:
                problem = "must be given: the first instant that the version is in force"
                self.problems.add(InvalidValue(at(field, "since"), None, problem))
            stage = self._laid_over(slug, stage, entry, field, OF_VERSIONS)
            yield stage

    def _own_stage(self, slug: str, extending: tuple[str, ...]) -> Stage | None:
        """Return the first stage of a plan; None if it is no table, or extends none."""
        if slug not in self._own:
            self._own[slug] = None
            field = at(self._field, slug)
            table = self.problems.attempt(entries, self._tables[slug], field)
            if table is not None:
                below, is_known = None, True
                if "extends" in table:
                    below = self._extended(slug, table["extends"], (*extending, slug))
                    is_known = below is not None
                if is_known:
                    self._own[slug] = self._laid_over(slug, below, table, field, OF_PLANS)
        return self._own[slug]

    def _extended(self, slug: str, base: object, extending: tuple[str, ...]) -> Stage | None:
        """Return the stage that a plan is laid over; None, and a problem, if there is none."""
        field = at(self._field, slug, "extends")
        name = self.problems.attempt(read_text, base, field)
        if name is None:
            return None
        if name in extending:
            names = " to ".join((*extending[extending.index(name) :], name))
            problem = f"must not lead back to the plan itself: {names}"
            self.problems.add(InvalidValue(field, base, problem))
            return None
        if name not in self._tables:
            others = [each for each in self._tables if each != slug]
            named = ", ".join(others) or "there is no other"
            problem = f"must be one of the other plans, {named}{did_you_mean(name, others)}"
            self.problems.add(UnknownPlan(field, base, problem))
            return None
        return self._own_stage(name, extending)

    def _versions(self, slug: str) -> Iterator[tuple[Path, Table]]:
        field = at(self._field, slug, "versions")
        listed = self.problems.attempt(items, self._tables[slug].get("versions", []), field) or []
        for i, entry in enumerate(listed):
            table = self.problems.attempt(entries, entry, at(field, i))
            if table is not None:
                yield at(field, i), table

    def _laid_over(
        self, slug: str, below: Stage | None, table: Table, field: Path, others: tuple[str, ...]
    ) -> Stage:
        keys = (*self._terms, *others)
        for key in table:
            if key not in keys:
                problem = f"isn't known{did_you_mean(key, keys)}; known here are "
                self.problems.add(
                    InvalidValue(at(field, key), table[key], problem + ", ".join(keys))
                )
        terms = {key: item for key, item in table.items() if key in self._terms}
        since = table.get("since")
        if since is not None:
            since = self.problems.attempt(INSTANT.read, since, at(field, "since"))
        base = {} if below is None else below.table
        for place, name in self._dropped(table, at(field, "drop")):
            left = without_path(base, name)
            if left is None:
                problem = "must be a key of the table that this one is laid over, such as"
                problem += f" {next(iter(base), 'none')}{did_you_mean(name, base)}"
                self.problems.add(InvalidValue(place, name, problem))
            base = base if left is None else left
        return Stage(slug, field, merged(base, terms), since, below)

    def _dropped(self, table: Table, field: Path) -> Iterator[tuple[Path, str]]:
        names = self.problems.attempt(items, table.get("drop", []), field) or []
        for i, name in enumerate(names):
            text = self.problems.attempt(read_text, name, at(field, i))
            if text is not None:
                yield at(field, i), text


def merged(below: Table, above: Table, deepest: int = DEEPEST) -> Table:
    """Return a table laid over another one: their tables are merged, all else is replaced.

    A `price` that says its model replaces the whole one below: keys of two models don't mix.

    >>> merged({"runs": {"included": 5, "price": 1}, "seats": {}}, {"runs": {"price": 2}})
    {'runs': {'included': 5, 'price': 2}, 'seats': {}}
    """
    tables = dict(below)
    for key, item in above.items():
        under = below.get(key)
        is_merged = isinstance(item, dict) and isinstance(under, dict) and deepest > 0
        if is_merged and not (key == "price" and "model" in item):
            tables[key] = merged(under, item, deepest - 1)  # type: ignore[arg-type]
        else:
            tables[key] = item
    return tables


def without_path(table: Table, path: str, deepest: int = DEEPEST) -> Table | None:
    """Return a table without the key that a dotted path leads to; None if there is none.

    A key may have dots of its own: ``allowances.gpt-3.5.price`` is found by the longest one.

    >>> without_path({"allowances": {"gpt-3.5": {}, "seats": {}}}, "allowances.gpt-3.5")
    {'allowances': {'seats': {}}}
    """
    if path in table:
        return {key: item for key, item in table.items() if key != path}
    begun = [key for key in table if path.startswith(f"{key}.") and isinstance(table[key], dict)]
    for key in sorted(begun if deepest else [], key=len, reverse=True):
        left = without_path(table[key], path[len(key) + 1 :], deepest - 1)
        if left is not None:
            return {**table, key: left}
    return None
