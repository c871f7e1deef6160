"""Plans in TOML: each version is formed of its merged table, with the rows of a price table.

form = plans_form((), read_table)
form.read({"starter": {...}}, "plans")            # {"starter": (PlanVersion(...), ...)}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import starmap
from typing import Any, Final, NamedTuple, TypeAlias

from overages._ground.jsontext import entries
from overages._ground.names import parse_name
from overages._ground.parsing import Problems
from overages.errors import Field, InvalidValue, OveragesError, Path, at
from overages.forms.form import Form, FormOf, Refer, Schema
from overages.forms.holders import without
from overages.forms.objects import described
from overages.forms.scalars import read_text
from overages.imports.plan_files.price_table import PriceTable, read_price_table
from overages.imports.plan_files.tables import OF_VERSIONS, PlanTables, Stage, Table
from overages.imports.plan_files.toml import ANY_CURRENCY, forms_in, read_plan
from overages.imports.plan_files.versions import PlanVersion, out_of_order
from overages.prices.models import PerUnit
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan

ReadTable: TypeAlias = Callable[[str], str]
"""Gives the text of a file by the name that it has in another one, which is relative to that."""

_UNKNOWN: Final = {"<metric>": Allowance(0, PerUnit(0))}
_STRICT: Final = "#/$defs/"
_PARTIAL: Final = "#/$defs/Partial"  # of a class of which any key may be left out
_TEXTS: Final[Schema] = {"type": "array", "items": {"type": "string"}}

PLAN_KEYS: Final = {
    "prices": "the name of a file of prices, in CSV, beside this one: an allowance for each row.",
    "since": "the first instant at which the first version is in force; always, without it.",
    "extends": "the slug of another plan, over whose own table this one is laid.",
    "drop": "keys, with dots between, that are taken out of the table that this one is laid over.",
    "versions": "the later versions, each with a `since`, and with only that which differs from the"
    " version before.",
}
"""The keys of a plan's table that are no terms of a plan, and their meaning."""


def plans_form(models: tuple[type, ...], read_table: ReadTable | None) -> Form:
    """Return the form of the versions of plans, by slug.

    :param models: classes of price models of a host's own.
    :param read_table: gives the text of a price table; without it, none can be read.
    """
    form = forms_in(ANY_CURRENCY, models).object(Plan)
    terms = (*(name for name in form.terms if name != "slug"), "prices")

    def read(value: object, field: Field) -> dict[str, tuple[PlanVersion, ...]]:
        tables = PlanTables(entries(value, field), field, terms)
        return _PlanReading(tables, models, read_table).versions(entries(value, field), field)

    def schema(refer: Refer) -> Schema:
        return _schema(without(form.body(refer)["properties"], "slug"))

    return FormOf(lambda versions, _: versions, read, schema)


class _Formed(NamedTuple):
    """A stage as a plan, or without one the faults of it and of those below."""

    plan: Plan | None
    faults: frozenset[str]


class _PlanReading:
    """The plans of a file that are read so far; each stage, and each price table, once."""

    def __init__(
        self, tables: PlanTables, models: tuple[type, ...], read_table: ReadTable | None
    ) -> None:
        self._tables, self._models, self._read_table = tables, models, read_table
        self._formed: dict[Path, _Formed] = {}
        self._price_tables: dict[str, PriceTable | None] = {}
        self._allowances: dict[tuple[str, ...], Allowance] = {}

    def versions(self, slugs: Iterable[str], field: Field) -> dict[str, tuple[PlanVersion, ...]]:
        """Return the versions of each plan.

        :raises InvalidValue: for one fault; `InvalidValues` for several.
        """
        problems = self._tables.problems
        versions = {}
        for slug in slugs:
            if problems.attempt(parse_name, slug, at(field, "<name>")) is not None:
                stages = list(self._tables.stages(slug))
                sinces = [stage.since for stage in stages]
                for place, problem in out_of_order(sinces):
                    if sinces[place] is not None:  # else that was told already
                        path = (*stages[place].field, "since")
                        problems.add(InvalidValue(path, sinces[place], problem))
                formed = zip(map(self._plan, stages), sinces, strict=True)
                made = [(plan, since) for plan, since in formed if plan is not None]
                if not problems:
                    versions[slug] = tuple(starmap(PlanVersion, made))
        problems.raise_any()
        return versions

    def _plan(self, stage: Stage) -> Plan | None:
        """Return the plan of a stage; None if it has faults, which are told once.

        Those that it has from the stage below are that one's.
        """
        if stage.field not in self._formed:
            below = frozenset[str]()
            if stage.below is not None:
                self._plan(stage.below)
                below = self._formed[stage.below.field].faults
            problems = Problems()
            prices = self._prices(stage.table, problems)
            table = without(stage.table, "prices")
            plan = problems.attempt(read_plan, stage.slug, table, self._models, prices)
            faults = problems.error().errors if problems else ()
            self._formed[stage.field] = _Formed(plan, frozenset(map(str, faults)))
            for fault in faults:
                if str(fault) not in below:
                    self._tables.problems.add(fault, stage.field)
        return self._formed[stage.field].plan

    def _prices(self, table: Table, problems: Problems) -> Mapping[str, Allowance]:
        """Return the rows of the price table that a plan's table names, if it does.

        A faulty one stands as an allowance that no plan has, so that its plan isn't told to lack
        any, and its faults are told for it alone.
        """
        if "prices" not in table:
            return {}
        name = problems.attempt(read_text, table["prices"], "prices")
        prices = None if name is None else problems.attempt(self._price_table, name)
        if prices is None:
            return _UNKNOWN
        allowances = table.get("allowances", {})
        for metric in allowances if isinstance(allowances, dict) else ():
            if metric in prices.lines:
                problem = f"must be there once, and is in {name}:{prices.lines[metric]} as well"
                problems.add(InvalidValue(("allowances", metric), allowances[metric], problem))
        return prices.allowances

    def _price_table(self, name: str) -> PriceTable | None:
        """Return a price table; None if it has faults, which were told."""
        if name not in self._price_tables:
            self._price_tables[name] = None
            text = self._text_of(name)
            problems = self._tables.problems
            table = problems.attempt(read_price_table, text, name, self._allowances)
            self._price_tables[name] = table
        return self._price_tables[name]

    def _text_of(self, name: str) -> str:
        if self._read_table is None:
            problem = "can't be read here: read_plans needs a read_table for it"
            raise InvalidValue("prices", name, problem)
        try:
            return self._read_table(name)
        except OveragesError:
            raise
        except OSError as error:
            problem = f"must be a file that can be read ({error.strerror or error})"
        except UnicodeDecodeError as error:
            problem = f"must be a file in UTF-8 ({error})"
        raise InvalidValue("prices", name, problem)


def _schema(terms: Schema) -> Schema:
    """Return the JSON Schema of plans by slug, of the schemas of their terms."""
    some = {name: _loosened(schema) for name, schema in terms.items()}
    others: Schema = {key: {"type": "string"} for key in PLAN_KEYS} | {"drop": _TEXTS}
    version = {name: others[name] for name in ("prices", *OF_VERSIONS)}
    others["versions"] = {"type": "array", "items": _table({**some, **version}, ["since"])}
    others = {name: described(schema, PLAN_KEYS[name]) for name, schema in others.items()}
    of_its_own = {name: others[name] for name in others if name not in ("extends", "drop")}
    complete = _table({**terms, **of_its_own}, ["currency"])
    complete["anyOf"] = [{"required": ["allowances"]}, {"required": ["prices"]}]
    laid_over = _table({**some, **others}, ["extends"])
    return {"type": "object", "additionalProperties": {"anyOf": [complete, laid_over]}}


def _table(properties: Schema, required: list[str]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _loosened(schema: Schema) -> Schema:
    """Return the schema of a table that is laid over another one: any key may be left out.

    Lists are replaced whole, so that their items are as strict as ever.
    """
    loose = dict(schema)
    loose.pop("required", None)
    for key in ("anyOf", "oneOf"):
        if key in loose:  # without the keys that tell them apart, several may do
            loose["anyOf"] = [_loosened(each) for each in loose.pop(key)]
    if "properties" in loose:
        loose["properties"] = {name: _loosened(each) for name, each in loose["properties"].items()}
    if isinstance(loose.get("additionalProperties"), dict):
        loose["additionalProperties"] = _loosened(loose["additionalProperties"])
    if "$ref" in loose:
        loose["$ref"] = loose["$ref"].replace(_STRICT, _PARTIAL)
    return loose


def define_partial(schema: Schema) -> Schema:
    """Return a schema that stands alone, with the loose ones that it refers to defined as well."""
    definitions = dict(schema["$defs"])
    # A definition may refer to one that isn't there yet, and so on: until there is none.
    while missing := _referred_to([schema, definitions]) - definitions.keys():
        for name in missing:
            definitions[name] = _loosened(definitions[name.removeprefix("Partial")])
    return {**schema, "$defs": definitions}


def _referred_to(tree: Any) -> set[str]:
    if isinstance(tree, dict):
        inner = tree.values()
        own = {tree["$ref"].removeprefix(_STRICT)} if isinstance(tree.get("$ref"), str) else set()
        return own.union(*map(_referred_to, inner))
    return set().union(*map(_referred_to, tree)) if isinstance(tree, list) else set()
