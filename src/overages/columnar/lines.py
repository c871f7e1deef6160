"""Lines: from a table of usage to one of lines, as the statements of its orgs have them.

    lines = calculate_table(plan, usage, Period.month(2024, 2))

It is `calculate` for each org, and comes to the same rows. Where the plan and the table are plain,
no statement is made: whole columns are priced by `overages.columnar.steps`. Kernels that tell an
overflow multiply; where one does, or something is to be refused, statements are made after all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final, NamedTuple

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError as _missing:
    raise ImportError(
        "overages.columnar needs pyarrow, which overages[arrow] has: pip install 'overages[arrow]'",
        name="pyarrow",
    ) from _missing

from overages._ground.columns import LINES, USAGE
from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, optional
from overages.columnar.decimals import decimals
from overages.columnar.steps import ENDLESS, NotInColumns, PlanSteps, plan_steps
from overages.errors import OveragesError
from overages.exports.arrow import Amounts, schema_of, statements_to_arrow
from overages.imports.arrays import Array, integer, integers, texts
from overages.imports.arrow import usages_from_arrow
from overages.imports.frames import ArrowTable, kinds_of, read_table
from overages.imports.usage_files.plain_cells import are_names
from overages.imports.usage_files.plain_events import instant_of, microseconds_of
from overages.lines.adjustment import OVERAGE
from overages.periods.period import Period
from overages.statements.calculation import calculate_many, own_limits
from overages.terms.plan import Plan
from overages.terms.terms import Limits

_NOTHING: Final = integer(0)
_MICROSECONDS: Final = pa.timestamp("us", "UTC")
_TYPES: Final = {field.name: field.type for field in schema_of(LINES)}


def calculate_table(
    plan: Plan,
    usage: ArrowTable,
    period: Period | None = None,
    *,
    limits: Limits | None = None,
    amounts: Amounts = "decimal",
) -> Any:
    """Return the lines of the statements of many orgs as a `pyarrow.Table`.

    It has the rows that `overages.exports.arrow.statements_to_arrow` makes of
    `overages.calculate_many`, for the usages that `overages.imports.arrow.usages_from_arrow` reads,
    and refuses the same. Where quantities are whole, a plan has no more than included quantities
    and prices by unit, package or tier, and amounts are decimals, it takes a twentieth of the time.

    :param plan: the terms of all of them.
    :param usage: a row for each quantity, with columns ``org_id``, ``metric``, ``quantity``, and
        ``period_start`` and ``period_end`` where `period` isn't named.
    :param period: the period of all rows.
    :param limits: limits that all of these orgs have in place of the plan's, by metric.
    :param amounts: the type of amounts, as for `overages.exports.arrow.statements_to_arrow`.
    :raises OveragesError: as those functions do.

    >>> from overages import Allowance, PerUnit
    >>> plan = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001"))})
    >>> rows = [{"org_id": "org-123", "metric": "tokens", "quantity": 750_000}]
    >>> lines = calculate_table(plan, pa.Table.from_pylist(rows), Period.month(2024, 2))
    >>> lines["over"][0].as_py() == 250_000, lines["cost"][0].as_py() == 25
    (True, True)
    """
    optional(instance_of(Period))(period, "period")
    table = read_table(usage)
    if amounts == "decimal" and type(plan) is Plan:
        with suppress(NotInColumns, pa.ArrowException, OverflowError, OveragesError):
            return _lines(plan, plan_steps(plan), _limits(plan, limits), _rows(plan, table, period))
    usages = usages_from_arrow(table, period)
    statements = calculate_many((plan, each, limits) for each in usages)
    return statements_to_arrow(statements, amounts=amounts)


def _limits(plan: Plan, limits: Limits | None) -> Array:
    """Return the limits of a plan's lines, in its order."""
    own = own_limits(plan, limits)
    bounds = [own.get(line.metric, line.included) for line in plan.compiled.lines]
    if any(isinstance(each, Decimal) or (each or 0) >= ENDLESS for each in bounds):
        raise NotInColumns
    return integers(ENDLESS if bound is None else int(bound) for bound in bounds)


class _Rows(NamedTuple):
    """The rows of a table of usage, by org and period in the order in which these first come.

    :param orgs: names.
    :param starts: of periods, in microseconds since 1970.
    :param places: those of metrics in the plan; the rows of an org and period are in their order.
    :param used: units.
    """

    orgs: Array
    starts: Array
    ends: Array
    places: Array
    used: Array


def _rows(plan: Plan, table: Any, period: Period | None) -> _Rows:
    """Return the rows of a table, if none of them is to be refused."""
    expected = [each for each in USAGE if not (period and each.name.startswith("period_"))]
    names = [name for name, _ in kinds_of(table.schema, expected)]
    if not len(table):
        raise NotInColumns
    columns = {name: _column(table, name) for name in names}
    orgs = columns["org_id"].cast(pa.string()).dictionary_encode()
    if are_names(orgs.dictionary) is not None:
        for name in orgs.dictionary.to_pylist():
            parse_name(name, "org_id")
    places = pc.index_in(columns["metric"].cast(pa.string()), texts(list(plan.allowances)))
    used = _units(columns["quantity"])
    if places.null_count or pc.min(used).as_py() < 0:
        raise NotInColumns
    bounds, times = _times(columns, period, len(used))
    groups = pc.add(pc.multiply(orgs.indices.cast(pa.int64()), integer(len(bounds))), times)
    if len(bounds) > 1:  # which come in the order of orgs else
        groups = groups.dictionary_encode().indices.cast(pa.int64())
    keys = pc.add(pc.multiply(groups, integer(len(plan.allowances))), places)
    order = pc.sort_indices(keys)
    keys = keys.take(order)
    if not pc.all(pc.less(keys.slice(0, len(keys) - 1), keys.slice(1)), min_count=0).as_py():
        raise NotInColumns  # a metric that is there twice
    starts, ends = (integers(each).take(times) for each in zip(*bounds, strict=True))
    rows = _Rows(orgs.dictionary_decode(), starts, ends, places.cast(pa.int64()), used)
    return _Rows(*(column.take(order) for column in rows))


def _column(table: Any, name: str) -> Array:
    """Return the one column of a name, with something in each row."""
    column = table[name].combine_chunks()
    if pa.types.is_dictionary(column.type):  # one of its values can be nothing
        column = column.dictionary_decode()
    if column.null_count:
        raise NotInColumns
    return column


def _units(quantities: Array) -> Array:
    """Return quantities as integers, if all of them are whole numbers."""
    kind = quantities.type
    if not (pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
        raise NotInColumns
    return quantities.cast(pa.int64())


def _times(
    columns: Mapping[str, Array], period: Period | None, count: int
) -> tuple[Sequence[tuple[int, int]], Array]:
    """Return bounds of periods, and the places of rows' own among them."""
    if period is not None:
        bounds = microseconds_of(period.start), microseconds_of(period.end)
        return [bounds], integers([0] * count)
    starts, ends = (
        columns[name].cast(_MICROSECONDS).cast(pa.int64()).dictionary_encode()
        for name in ("period_start", "period_end")
    )
    pairs = pc.add(
        pc.multiply(starts.indices.cast(pa.int64()), integer(len(ends.dictionary))), ends.indices
    ).dictionary_encode()
    firsts, lasts = starts.dictionary.to_pylist(), ends.dictionary.to_pylist()
    bounds_of_pairs = []
    for pair in pairs.dictionary.to_pylist():
        first, last = divmod(pair, len(lasts))
        Period(instant_of(firsts[first]), instant_of(lasts[last]))  # or it is refused
        bounds_of_pairs.append((firsts[first], lasts[last]))
    return bounds_of_pairs, pairs.indices.cast(pa.int64())


def _lines(plan: Plan, steps: PlanSteps, limits: Array, rows: _Rows) -> Any:
    """Return the table of lines of rows."""
    rows = _Rows(*(column.filter(pc.greater(rows.used, _NOTHING)) for column in rows))
    limit = limits.take(rows.places)
    over = pc.max_element_wise(pc.subtract_checked(rows.used, limit), _NOTHING)
    costs = _costs(steps, rows.places, over)
    count, currency = len(over), plan.currency
    zeros = integers([0] * count)
    quantity, amount, cost = _TYPES["used"], _TYPES["exact_cost"], _TYPES["cost"]
    is_limited = pc.not_equal(limit, integer(ENDLESS))
    limit = pc.if_else(is_limited, limit, pa.nulls(1, pa.int64())[0])
    columns = {
        "org_id": rows.orgs,
        "period_start": rows.starts.cast(_MICROSECONDS),
        "period_end": rows.ends.cast(_MICROSECONDS),
        "plan": texts([plan.slug]).take(zeros),
        "metric": texts(list(plan.allowances)).take(rows.places),
        "line": texts([OVERAGE]).take(zeros),
        "used": decimals(rows.used, 0, quantity),
        "limit": decimals(limit, 0, quantity),
        "over": decimals(over, 0, quantity),
        "unit_price": decimals(costs.each, steps.decimals, amount),
        "exact_cost": decimals(costs.exact, steps.decimals, amount),
        "cost": decimals(costs.minor, currency.exponent, cost),
        "currency": texts([currency.code]).take(zeros),
    }
    return pa.table(columns, schema=schema_of(LINES))


class _Costs(NamedTuple):
    """Costs in minor units, exactly in major units of some decimals, and of each unit so."""

    minor: Array
    exact: Array
    each: Array


def _costs(steps: PlanSteps, places: Array, over: Array) -> _Costs:
    """Return the costs of units over the limits of lines."""
    reached = _reached(steps, places, over)
    columns = list(zip(*(step for line in steps.of_lines for step in line), strict=True))
    begin, pad, size, factor, constant, divisor, exact_factor, exact_constant = (
        integers(column).take(reached) for column in columns[1:-1]
    )
    counted = pc.divide(pc.add_checked(pc.subtract(over, begin), pad), size)
    minor = pc.divide(pc.add_checked(pc.multiply_checked(counted, factor), constant), divisor)
    exact = pc.add_checked(pc.multiply_checked(counted, exact_factor), exact_constant)
    is_due = pc.greater(over, _NOTHING)  # no tier is entered else
    prices = columns[-1]
    has_price = pc.not_equal(integers(each is not None for each in prices), _NOTHING)
    each = pc.if_else(has_price, integers(each or 0 for each in prices), pa.nulls(1, pa.int64())[0])
    return _Costs(
        pc.if_else(is_due, minor, _NOTHING), pc.if_else(is_due, exact, _NOTHING), each.take(reached)
    )


def _reached(steps: PlanSteps, places: Array, over: Array) -> Array:
    """Return the place of the step that is reached, among the steps of all lines."""
    counts = [len(line) for line in steps.of_lines]
    reached = integers(accumulate(counts[:-1], initial=0)).take(places)
    for number in range(max(counts) - 1):
        bounds = [line[number].up_to if number < len(line) else ENDLESS for line in steps.of_lines]
        is_beyond = pc.greater(over, integers(bounds).take(places))
        reached = pc.add(reached, is_beyond.cast(pa.int64()))
    return reached
