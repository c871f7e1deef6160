"""Timelines: which terms hold when, and the runs of an account's periods."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import Cycle, Discount, Money, Period, Terms
from overages.errors import InvalidValue
from overages.terms.change import TermsChange
from overages.terms.timeline import FOREVER, Run, Stretch, standing, timeline_of

JAN, FEB, MAR, APR, MAY = (datetime(2024, month, 1, tzinfo=UTC) for month in range(1, 6))
FIRST = Terms("starter", {"tokens": 5})
MIDMONTH = Cycle.monthly(day=15)
TICK = timedelta(microseconds=1)
PARTNER, DEARER = Discount("partner", percent=10), Discount("partner", percent=5)
VOUCHER, LAUNCH = Discount("voucher", amount=Money(500, "USD")), Discount("launch", percent=20)


def plans(*changes: TermsChange) -> list[tuple[int, str | None]]:
    """Return the months that stretches begin in, and the plan of each."""
    stretches = timeline_of(JAN, FIRST, changes).stretches
    return [
        (start.month, None if terms is None else terms.plan) for start, _, terms, _ in stretches
    ]


def last(*changes: TermsChange) -> Terms | None:
    return timeline_of(JAN, FIRST, changes).stretches[-1].terms


def test_without_changes_the_first_terms_hold_for_ever() -> None:
    timeline = timeline_of(JAN, FIRST, ())
    assert timeline.stretches == (Stretch(JAN, FOREVER, FIRST),)
    assert timeline.runs == (Run(JAN, FOREVER, FIRST.cycle),)
    assert timeline.at(JAN - TICK) is None
    assert timeline.at(JAN) is FIRST
    assert timeline.run_at(JAN - TICK) is None


def test_a_change_holds_from_its_instant_on() -> None:
    timeline = timeline_of(JAN, FIRST, [TermsChange(MAR, plan="pro")])
    assert timeline.at(MAR - TICK) == FIRST
    assert timeline.at(MAR) == Terms("pro", {"tokens": 5})


def test_changes_hold_in_the_order_of_their_instants_however_they_were_noted() -> None:
    march, february = TermsChange(MAR, plan="pro"), TermsChange(FEB, plan="team")
    assert plans(march, february) == plans(february, march)
    assert plans(march, february) == [(1, "starter"), (2, "team"), (3, "pro")]


def test_of_two_changes_at_one_instant_the_later_is_laid_over_the_earlier() -> None:
    both = [TermsChange(MAR, plan="pro", status="trial"), TermsChange(MAR, plan="team")]
    terms = last(*both)
    assert terms is not None
    assert (terms.plan, terms.status) == ("team", "trial")
    assert plans(*both) == [(1, "starter"), (3, "team")]


@pytest.mark.parametrize(
    ("said", "counters"),
    [
        ([None], "restart"),
        (["continue", None], "continue"),
        ([None, "continue"], "continue"),
        (["continue", "restart"], "restart"),
        (["restart", None, "continue", None], "continue"),
    ],
)
def test_an_entry_that_says_nothing_of_counters_leaves_them(said: list[Any], counters: str) -> None:
    changes = [TermsChange(MAR, status="past_due", counters=each) for each in said]
    changes[0] = TermsChange(MAR, plan="pro", counters=said[0])
    assert timeline_of(JAN, FIRST, changes).stretches[-1].counters == counters


def test_a_change_at_the_very_beginning_takes_the_place_of_the_first_terms() -> None:
    assert plans(TermsChange(JAN, plan="pro")) == [(1, "pro")]


def test_a_change_back_and_one_of_nothing_make_no_stretch() -> None:
    assert plans(TermsChange(MAR, plan="starter")) == [(1, "starter")]
    assert plans(TermsChange(FEB, kind="end"), TermsChange(MAR, kind="end")) == [
        (1, "starter"),
        (2, None),
    ]


@pytest.mark.parametrize(
    ("change", "limits"),
    [
        ({"limits": {"tokens": None}}, {"tokens": None}),
        ({"limits": {"runs": 1}}, {"tokens": 5, "runs": 1}),
        ({"drop_limits": ["tokens", "none"]}, {}),
        ({"limits": {"runs": 1}, "drop_limits": ["tokens"]}, {"runs": 1}),
        ({"plan": "pro"}, {"tokens": 5}),
    ],
    ids=str,
)
def test_limits_are_merged_by_metric(change: Any, limits: dict[str, int | None]) -> None:
    terms = last(TermsChange(FEB, **change))
    assert terms is not None
    assert terms.limits == limits


def test_a_plan_that_is_named_is_at_no_version_unless_the_entry_names_one() -> None:
    def version(*changes: TermsChange) -> int | None:
        terms = last(*changes)
        assert terms is not None
        return terms.plan_version

    pinned = TermsChange(FEB, plan_version=2)
    assert version(pinned) == 2
    assert version(pinned, TermsChange(MAR, status="trial")) == 2
    assert version(pinned, TermsChange(MAR, plan="starter")) is None
    assert version(pinned, TermsChange(MAR, plan="pro", plan_version=3)) == 3


def test_terms_end_and_a_plan_resumes_them_with_all_that_was_changed() -> None:
    end, back = TermsChange(FEB, kind="end"), TermsChange(APR, plan="starter")
    waiting = TermsChange(MAR, limits={"tokens": 9})
    assert plans(end, waiting) == [(1, "starter"), (2, None)]
    assert plans(end, waiting, back) == [(1, "starter"), (2, None), (4, "starter")]
    terms = last(end, waiting, back)
    assert terms is not None
    assert terms.limits == {"tokens": 9}


def test_terms_may_be_resumed_at_the_instant_at_which_they_end() -> None:
    assert plans(TermsChange(FEB, kind="end"), TermsChange(FEB, plan="pro")) == [
        (1, "starter"),
        (2, "pro"),
    ]
    assert plans(TermsChange(FEB, plan="pro"), TermsChange(FEB, kind="end")) == [
        (1, "starter"),
        (2, None),
    ]


def test_an_account_that_ends_when_it_begins_has_no_terms() -> None:
    timeline = timeline_of(JAN, FIRST, [TermsChange(JAN, kind="end")])
    assert (timeline.at(JAN), timeline.runs, timeline.times()) == (None, (), [])
    assert timeline.slugs() == ()


def test_an_entry_takes_back_all_before_it_of_its_instant() -> None:
    pro, trial = TermsChange(MAR, plan="pro"), TermsChange(MAR, status="trial")
    cancel, team = TermsChange(MAR, kind="cancel"), TermsChange(MAR, plan="team")
    other = TermsChange(APR, plan="other")
    assert standing([pro, trial, other, cancel, team]) == [other, team]
    assert plans(pro, trial, cancel) == [(1, "starter")]
    assert plans(pro, cancel, team) == [(1, "starter"), (3, "team")]


def test_a_run_joins_stretches_that_have_one_cycle() -> None:
    changes = [
        TermsChange(FEB, plan="pro"),
        TermsChange(MAR, cycle=MIDMONTH),
        TermsChange(APR, kind="end"),
        TermsChange(MAY, plan="pro"),
    ]
    timeline = timeline_of(JAN, FIRST, changes)
    runs = (
        Run(JAN, MAR, FIRST.cycle),
        Run(MAR, APR, MIDMONTH),
        Run(MAY, FOREVER, MIDMONTH),
    )
    assert timeline.runs == runs
    assert [timeline.run_at(instant) for instant in (MAR - TICK, MAR, APR, MAY)] == [
        runs[0],
        runs[1],
        None,
        runs[2],
    ]
    assert timeline.runs_from(MAR) == runs[1:]
    assert timeline.runs_from(MAR - TICK) == runs
    assert timeline.times() == [Period(JAN, APR), Period(MAY, FOREVER)]
    assert timeline.slugs() == ("starter", "pro")


def test_periods_are_those_of_each_run_cut_at_its_ends() -> None:
    eleventh, fifteenth = (MAR + timedelta(days=n) for n in (10, 14))
    timeline = timeline_of(JAN, FIRST, [TermsChange(eleventh, cycle=MIDMONTH)])
    first, second = timeline.runs
    assert first.cut(Period(MAR, APR)) == Period(MAR, eleventh)
    assert second.cut(Period(FEB, fifteenth)) == Period(eleventh, fifteenth)
    assert second.cut(Period(fifteenth, APR)) == Period(fifteenth, APR)
    assert list(timeline.periods(FEB, fifteenth)) == [
        Period(FEB, MAR),
        Period(MAR, eleventh),
        Period(eleventh, fifteenth),
    ]
    assert list(timeline.periods(FEB, MAR)) == [Period(FEB, MAR)]
    assert next(timeline.periods(fifteenth)).start == fifteenth


def test_the_times_in_which_terms_hold_are_written_for_an_error() -> None:
    timeline = timeline_of(JAN, FIRST, [TermsChange(FEB, kind="end"), TermsChange(MAR, plan="pro")])
    assert timeline.written() == (
        "from 2024-01-01T00:00:00Z to 2024-02-01T00:00:00Z; from 2024-03-01T00:00:00Z on"
    )
    assert timeline_of(FOREVER, FIRST, ()).written() == "never"


def test_parts_of_a_time_have_their_terms_and_none_where_none_hold() -> None:
    timeline = timeline_of(JAN, FIRST, [TermsChange(FEB, plan="pro"), TermsChange(MAR, kind="end")])
    year = Period(JAN - timedelta(days=31), MAY)
    assert timeline.parts(year) == (
        (Period(JAN, FEB), FIRST),
        (Period(FEB, MAR), Terms("pro", {"tokens": 5})),
    )
    assert timeline.parts(Period(MAR, MAY)) == ()


@pytest.mark.parametrize(
    ("start", "end", "pauses"),
    [
        (FEB, FEB, False),
        (MAR, FEB, False),
        (JAN, FEB, False),
        (JAN, FEB + TICK, True),
        (FEB, MAR, True),
        (MAR - TICK, MAR, True),
        (MAR, MAY, False),
        (JAN - TICK, JAN, True),
    ],
)
def test_a_pause_is_time_without_terms(start: datetime, end: datetime, pauses: bool) -> None:
    changes = [TermsChange(FEB, kind="end"), TermsChange(MAR, plan="pro")]
    assert timeline_of(JAN, FIRST, changes).pauses_between(start, end) is pauses


def test_the_time_after_the_last_terms_is_a_pause() -> None:
    ended = timeline_of(
        JAN, FIRST, [TermsChange(FEB, cycle=MIDMONTH), TermsChange(MAR, kind="end")]
    )
    assert ended.pauses_between(FEB, MAR + TICK)
    assert ended.pauses_between(MAR, APR)
    assert not ended.pauses_between(JAN, MAR)  # two runs, one after the other


def test_entries_that_stay_are_in_the_order_in_which_they_were_noted() -> None:
    changes = [TermsChange(MAR, plan="pro"), TermsChange(FEB, plan="a"), TermsChange(MAR, plan="b")]
    again = TermsChange(FEB, plan="c")
    assert standing(changes) == changes
    assert standing([*changes, TermsChange(FEB, kind="cancel"), again]) == [
        changes[0], changes[2], again,
    ]  # fmt: skip


def test_an_entry_of_the_last_instant_holds_for_no_time() -> None:
    assert timeline_of(JAN, FIRST, [TermsChange(FOREVER, plan="pro")]).stretches == (
        Stretch(JAN, FOREVER, FIRST),
    )
    assert timeline_of(FOREVER, FIRST, ()).stretches == ()


def test_periods_end_with_the_last_that_is_whole_before_the_year_10000() -> None:
    timeline = timeline_of(JAN, FIRST, ())
    periods = list(timeline.periods(datetime(9999, 10, 5, tzinfo=UTC)))
    assert [period.start.month for period in periods] == [10, 11]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"plan": "pro"}, (PARTNER, VOUCHER, 9, 5)),
        ({"discounts": [LAUNCH]}, (PARTNER, VOUCHER, LAUNCH, 9, 5)),
        ({"discounts": [LAUNCH, DEARER]}, (DEARER, VOUCHER, LAUNCH, 9, 5)),
        ({"drop_discounts": ["partner", "none"]}, (VOUCHER, 9, 5)),
        ({"maximum": Money(7, "USD")}, (PARTNER, VOUCHER, 7, 5)),
        ({"minimum": Money(0, "USD")}, (PARTNER, VOUCHER, 9, 0)),
        ({"drop_bounds": ["maximum"]}, (PARTNER, VOUCHER, None, 5)),
        (
            {"drop_bounds": ["maximum", "minimum"], "status": "trial"},
            (PARTNER, VOUCHER, None, None),
        ),
    ],
    ids=str,
)
def test_own_discounts_are_merged_by_name_and_bounds_replaced(change: Any, expected: Any) -> None:
    first = Terms(
        "starter",
        discounts=[PARTNER, VOUCHER],
        maximum=Money(9, "USD"),
        minimum=Money(5, "USD"),
    )
    terms = timeline_of(JAN, first, [TermsChange(FEB, **change)]).at(FEB)
    assert terms is not None
    bounds = [bound and bound.minor for bound in (terms.maximum, terms.minimum)]
    assert (*terms.discounts, *bounds) == expected
    assert terms.own.trial is (terms.status == "trial")


def test_bounds_of_two_entries_that_contradict_each_other_are_refused_by_their_time() -> None:
    first = Terms("starter", minimum=Money(500, "USD"))
    lower = TermsChange(FEB, maximum=Money(400, "USD"))
    with pytest.raises(InvalidValue) as caught:
        timeline_of(JAN, first, [lower])
    assert caught.value.path == ("changes", "2024-02-01T00:00:00Z", "minimum")
    raised = TermsChange(FEB, minimum=Money(300, "USD"))
    assert timeline_of(JAN, first, [raised, lower]).at(FEB) is not None
