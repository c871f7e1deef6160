"""Texts of settlements: those of plain statements, filled in, are those that the codec writes."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, strategies as st

from overages import Allowance, Balance, Period, PerUnit, Plan, Settlement, Usage, calculate
from overages._ground.jsontext import written
from overages.adapters.settlement_texts import SettlementTexts
from overages.codec import Codec
from overages.testing.strategies import names, plans, usages

from .effort import many

FEB = Period.month(2024, 2)
UNITS = st.one_of(
    st.integers(0, 2_000),
    st.integers(0, 10**26 - 1),
    st.decimals("0", "2000", places=12, allow_nan=False),
)
PRICED = st.builds(
    PerUnit, st.decimals("0", "9", places=3), st.sampled_from([1, 3, 7, 1_000, "0.5"])
)
FLAT = st.builds(
    Plan,
    names(),
    st.sampled_from(["USD", "JPY", "BHD"]),
    st.dictionaries(
        names(),
        st.builds(Allowance, st.one_of(st.none(), st.integers(0, 500)), PRICED),
        min_size=1,
        max_size=3,
    ),
    rounding=st.sampled_from(["half_up", "half_even", "up", "down"]),
)


def check(used: Sequence[Usage], plan: Plan) -> None:
    texts = SettlementTexts(Codec())
    for usage in used:
        settlement = Settlement(calculate(plan, usage), Balance())
        general = written(texts._tree(settlement, lambda _: 3), 10**9).decode()
        assert texts.text(settlement, lambda _: 3) == general


@many
@given(FLAT, st.lists(st.tuples(names(), st.lists(UNITS, min_size=3, max_size=3)), min_size=1))
def test_flat_lines_are_written_as_by_the_codec(
    plan: Plan, used: list[tuple[str, list[int]]]
) -> None:
    metrics = list(plan.allowances)
    check(
        [Usage(org_id, FEB, dict(zip(metrics, units, strict=False))) for org_id, units in used],
        plan,
    )


@many
@given(
    plans().flatmap(lambda plan: st.tuples(st.lists(usages(plan=plan), max_size=3), st.just(plan)))
)
def test_any_statement_is_written_as_by_the_codec(drawn: tuple[list[Usage], Plan]) -> None:
    check(*drawn)
