"""Accounts: an org, and the history of its terms."""

import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from tests.since import SINCE

from overages import Account, Cycle, Period, Terms
from overages._ground.value import evolve
from overages.errors import AccountConflict, InvalidType, InvalidValue, InvalidValues, NoTerms
from overages.terms.change import TermsChange


def day(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=UTC)


ACCOUNT = Account("org-1", "starter", since=day(1, 10))
MIDMONTH = Cycle.monthly(day=15)
LIFE = (
    ACCOUNT.changed(since=day(3, 15), cycle=MIDMONTH)
    .ended(at=day(5, 20))
    .changed(since=day(6, 1), plan="pro")
)


def described(account: Account, start: datetime, end: datetime) -> list[str]:
    return [
        period.describe()[5:-4].replace(" to 2024-", "/") for period in account.periods(start, end)
    ]


# The value


def test_the_first_terms_of_an_account_are_the_usual_ones_unless_told() -> None:
    assert (ACCOUNT.org_id, ACCOUNT.plan, dict(ACCOUNT.limits)) == ("org-1", "starter", {})
    assert (ACCOUNT.status, ACCOUNT.cycle, ACCOUNT.plan_version) == (
        "active",
        Cycle.monthly(),
        None,
    )
    assert ACCOUNT.changes == ()
    assert ACCOUNT.at(ACCOUNT.since) == Terms("starter")


def test_an_account_needs_the_instant_that_it_begins_at() -> None:
    make: Any = Account
    with pytest.raises(TypeError, match="since"):
        make("org-1", "starter")


def test_the_first_instant_of_an_account_is_kept_in_utc() -> None:
    east = timezone(timedelta(hours=9))
    account = Account("org-1", "starter", since=datetime(2024, 1, 10, 9, tzinfo=east))
    assert account == ACCOUNT
    assert account != Account("org-1", "starter", since=day(1, 11))


@pytest.mark.parametrize(
    ("since", "message"),
    [
        (datetime(2024, 2, 1), "since: must have a timezone"),
        ("2024-02-01", "since: must be a datetime"),
        (None, "since: must be a datetime"),
        (Period.month(2024, 2), "since: must be a datetime"),
    ],
)
def test_another_start_of_an_account_is_refused(since: Any, message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=f"^{message}"):
        Account("org-1", "starter", since=since)


def test_an_account_with_many_faults_reports_them_all() -> None:
    bad: Any = {"org_id": "", "plan": None, "since": SINCE, "limits": {"tokens": -1}, "cycle": 5}
    bad |= {"status": "gone", "plan_version": 0, "changes": [TermsChange(SINCE, plan="a"), "b"]}
    with pytest.raises(InvalidValues) as caught:
        Account(**bad)
    assert [str(error.field) for error in caught.value.errors] == [
        "org_id",
        "plan",
        "limits.tokens",
        "cycle",
        "status",
        "plan_version",
        "changes[1]",
    ]


def test_accounts_are_equal_by_value_and_survive_pickling() -> None:
    account = Account("org-1", "starter", SINCE, {"tokens": 5, "seats": None})
    same = Account("org-1", "starter", SINCE, {"seats": None, "tokens": "5.0"})
    assert len({account, same, pickle.loads(pickle.dumps(account))}) == 1
    assert account != Account("org-1", "starter", SINCE, {"tokens": 5})
    assert pickle.loads(pickle.dumps(LIFE)) == LIFE
    assert LIFE != ACCOUNT


def test_the_repr_of_an_account_makes_it_again() -> None:
    import datetime  # as the repr of an instant names it

    account = ACCOUNT.changed(since=day(3, 1), plan="pro")
    since = "datetime.datetime(2024, {}, 0, 0, tzinfo=datetime.timezone.utc)"
    assert repr(account) == (
        f"Account(org_id='org-1', plan='starter', since={since.format('1, 10')}, "
        f"changes=(TermsChange(since={since.format('3, 1')}, plan='pro'),))"
    )
    assert eval(repr(account), {**globals(), "datetime": datetime}) == account


# Its history


def test_a_change_is_another_account_and_the_history_is_kept() -> None:
    changed = ACCOUNT.changed(
        since=day(3, 12),
        plan="pro",
        limits={"tokens": None},
        drop_limits=["runs"],
        cycle=MIDMONTH,
        status="trial",
        plan_version=2,
    )
    assert ACCOUNT.changes == ()
    assert changed.changes == (
        TermsChange(
            day(3, 12),
            plan="pro",
            limits={"tokens": None},
            drop_limits=["runs"],
            cycle=MIDMONTH,
            status="trial",
            plan_version=2,
        ),
    )
    assert changed.at(day(3, 11)) == Terms("starter")
    assert changed.at(day(3, 12)) == Terms(
        "pro", {"tokens": None}, MIDMONTH, status="trial", plan_version=2
    )


def test_an_ended_account_has_no_terms_until_a_plan_is_named_again() -> None:
    assert LIFE.at(day(5, 19)) == Terms("starter", cycle=MIDMONTH)
    assert LIFE.at(day(5, 20)) is None
    assert LIFE.at(day(6, 1)) == Terms("pro", cycle=MIDMONTH)


def test_an_entry_can_be_taken_back_by_another() -> None:
    account = ACCOUNT.changed(since=day(6, 1), plan="pro").cancelled(since=day(6, 1))
    assert [change.kind for change in account.changes] == ["change", "cancel"]
    assert account.at(day(6, 1)) == Terms("starter")
    again = account.ended(at=day(6, 1))
    assert again.at(day(6, 1)) is None
    assert again.cancelled(since=day(6, 1)).at(day(6, 1)) == Terms("starter")


@pytest.mark.parametrize("change", ["changed", "ended", "cancelled"])
def test_an_entry_before_the_account_begins_is_refused(change: str) -> None:
    early = {"at" if change == "ended" else "since": day(1, 9)}
    named: Any = {**early, "plan": "pro"} if change == "changed" else early
    with pytest.raises(InvalidValue) as caught:
        getattr(ACCOUNT, change)(**named)
    assert str(caught.value) == (
        "changes[0].since: must not be before the account begins, 2024-01-10T00:00:00Z, "
        "got 2024-01-09T00:00:00+00:00"
    )


def test_an_entry_that_is_not_there_or_was_taken_back_cannot_be() -> None:
    message = r"^changes\[\d\]\.since: must be that of an entry before it, which it takes back"
    planned = ACCOUNT.changed(since=day(6, 1), plan="pro")
    for account, since in [
        (ACCOUNT, ACCOUNT.since),
        (planned, day(6, 2)),
        (planned.cancelled(since=day(6, 1)), day(6, 1)),
    ]:
        with pytest.raises(InvalidValue, match=message):
            account.cancelled(since=since)


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"^plan: must be given, or another of the terms"):
        ACCOUNT.changed(since=day(6, 1))


def test_an_account_goes_on_from_one_with_fewer_entries_and_the_same() -> None:
    LIFE.require_goes_on_from(ACCOUNT)
    LIFE.require_goes_on_from(LIFE)
    changed = ACCOUNT.changed(since=day(3, 15), plan="pro")
    others = [changed, evolve(ACCOUNT, plan="pro"), evolve(ACCOUNT, org_id="org-2")]
    for account, kept in [(ACCOUNT, LIFE), *((LIFE, other) for other in others)]:
        with pytest.raises(AccountConflict, match="entries added at its end"):
            account.require_goes_on_from(kept)


# Terms and periods


def test_an_instant_without_a_timezone_is_refused() -> None:
    naive = datetime(2024, 2, 1)
    for ask in (ACCOUNT.at, ACCOUNT.period_at, ACCOUNT.require_terms):
        with pytest.raises(InvalidValue, match=r"^instant: must have a timezone"):
            ask(naive)


def test_periods_are_short_where_terms_begin_end_or_move_the_billing_day() -> None:
    assert described(LIFE, day(1, 10), day(6, 16)) == [
        "01-10/02-01",
        "02-01/03-01",
        "03-01/03-15",
        "03-15/04-15",
        "04-15/05-15",
        "05-15/05-20",
        "06-01/06-15",
        "06-15/07-15",
    ]


def test_periods_of_a_time_are_those_that_some_of_it_lies_in() -> None:
    assert described(LIFE, day(3, 14, 23), day(3, 15, 1)) == ["03-01/03-15", "03-15/04-15"]
    assert described(LIFE, day(3, 15), day(4, 15)) == ["03-15/04-15"]
    assert described(LIFE, day(5, 20), day(6, 1)) == []
    assert described(LIFE, datetime(2023, 1, 1, tzinfo=UTC), day(1, 11)) == ["01-10/02-01"]
    with pytest.raises(InvalidValue, match=r"^end: must be later than the start"):
        LIFE.periods(day(3, 1), day(3, 1))


def test_a_change_of_plan_or_limits_moves_no_boundary() -> None:
    changed = ACCOUNT.changed(since=day(2, 12), plan="pro", limits={"runs": 1})
    assert described(changed, day(2, 1), day(2, 29)) == ["02-01/03-01"]


def test_a_change_of_timezone_ends_the_running_period() -> None:
    paris = ACCOUNT.changed(since=day(2, 12), cycle=Cycle.monthly("Europe/Paris"))
    assert described(paris, day(2, 1), day(3, 10)) == [
        "02-01/02-12",
        "02-12/02-29 23:00:00",
        "02-29 23:00:00/03-31 22:00:00",
    ]


@pytest.mark.parametrize(
    ("instant", "period"),
    [
        (day(1, 10), Period(day(1, 10), day(2, 1))),
        (day(3, 14, 23), Period(day(3, 1), day(3, 15))),
        (day(3, 15), Period(day(3, 15), day(4, 15))),
        (day(5, 19), Period(day(5, 15), day(5, 20))),
        (day(6, 1), Period(day(6, 1), day(6, 15))),
    ],
)
def test_an_instant_lies_in_one_period(instant: datetime, period: Period) -> None:
    assert LIFE.period_at(instant) == period


@pytest.mark.parametrize("instant", [day(1, 9, 23), day(5, 20), day(5, 31, 23)])
def test_an_instant_without_terms_lies_in_no_period(instant: datetime) -> None:
    message = (
        "org-1: instant: must be when the org has terms: from 2024-01-10T00:00:00Z to "
        "2024-05-20T00:00:00Z; from 2024-06-01T00:00:00Z on"
    )
    for ask in (LIFE.period_at, LIFE.require_terms):
        with pytest.raises(NoTerms) as caught:
            ask(instant)
        assert str(caught.value).startswith(message)
        assert caught.value.org_id == "org-1"


def test_an_account_that_never_had_terms_says_so() -> None:
    with pytest.raises(NoTerms, match=r"must be when the org has terms: never, got 2024-01-10"):
        ACCOUNT.ended(at=day(1, 10)).period_at(day(1, 10))


def test_terms_may_be_required_of_an_instant_by_name() -> None:
    LIFE.require_terms(day(1, 10))
    with pytest.raises(NoTerms, match=r"^org-1: events\[3\]\.at: "):
        LIFE.require_terms(day(5, 20), ("events", 3, "at"))


def test_a_short_period_is_a_part_of_the_cycles_whole_one() -> None:
    wholes = [LIFE.whole_of(period) for period in LIFE.periods(day(1, 10), day(6, 16))]
    assert wholes == [
        Period.month(2024, 1),
        None,
        Period.month(2024, 3),
        None,
        None,
        Period(day(5, 15), day(6, 15)),
        Period(day(5, 15), day(6, 15)),
        None,
    ]
    assert LIFE.whole_of(Period(day(5, 20), day(5, 21))) is None
    assert LIFE.whole_of(Period(day(2, 1), day(3, 2))) is None


def test_a_period_has_a_part_for_each_of_its_terms() -> None:
    changed = LIFE.changed(since=day(2, 12), plan="pro").changed(since=day(2, 20), status="trial")
    assert changed.parts(Period.month(2024, 2)) == (
        (Period(day(2, 1), day(2, 12)), Terms("starter")),
        (Period(day(2, 12), day(2, 20)), Terms("pro")),
        (Period(day(2, 20), day(3, 1)), Terms("pro", status="trial")),
    )


def test_a_period_that_is_not_the_accounts_is_refused_and_its_own_are_named() -> None:
    for ask in (LIFE.parts, LIFE.require):
        with pytest.raises(InvalidValue) as caught:
            ask(Period.month(2024, 3))
        assert "period: must be one of the org's own, " in str(caught.value)
        assert (
            "2024-03-01T00:00:00Z/2024-03-15T00:00:00Z and 2024-03-15T00:00:00Z/"
            "2024-04-15T00:00:00Z"
        ) in str(caught.value)
        assert caught.value.org_id == "org-1"
        with pytest.raises(NoTerms, match=r"^org-1: period: must be when the org has terms"):
            ask(Period(day(5, 20), day(6, 1)))
        wrong: Any = "2024-03"
        with pytest.raises(InvalidType, match=r"^period: must be of type Period"):
            ask(wrong)
    LIFE.require(Period.month(2024, 2))


def test_terms_are_agreed_for_the_accounts_own_periods_alone() -> None:
    agreed = LIFE.agreed_in(Period.month(2024, 2))
    assert (agreed.cycle_period, len(agreed.parts)) == (None, 1)
    for other, error in [
        (Period.month(2024, 3), InvalidValue),  # of two periods
        (Period(day(5, 25), day(6, 5)), InvalidValue),  # begins in a pause
        (Period(day(5, 20), day(6, 1)), NoTerms),
    ]:
        with pytest.raises(error, match=r"^org-1: period: must be "):
            LIFE.agreed_in(other)


def test_periods_divide_a_time_if_none_lies_in_it_in_part() -> None:
    assert LIFE.divides(Period.month(2024, 2))
    assert LIFE.divides(Period(day(1, 1), day(3, 15)))
    assert LIFE.divides(Period(day(5, 20), day(6, 1)))
    assert not LIFE.divides(Period.month(2024, 3))
    assert not LIFE.divides(Period(day(1, 11), day(2, 1)))


def test_the_last_terms_of_a_time_come_with_the_instant_of_their_plan() -> None:
    changed = ACCOUNT.changed(since=day(2, 12), plan="pro").changed(
        since=day(2, 20), status="trial"
    )
    assert changed.last_terms(Period.month(2024, 2)) == (day(2, 12), Terms("pro", status="trial"))
    assert changed.last_terms(Period.month(2024, 3))[0] == day(3, 1)
    back = changed.changed(since=day(2, 25), plan="starter")
    assert back.last_terms(Period.month(2024, 2))[0] == day(2, 25)
    with pytest.raises(NoTerms, match=r"^org-1: period: must be when"):
        changed.last_terms(Period.month(2023, 2))


def test_the_period_after_another_is_the_next_one_of_the_account() -> None:
    assert LIFE.period_after(Period(day(5, 15), day(5, 20))) == Period(day(6, 1), day(6, 15))
    assert LIFE.period_after(Period.month(2024, 2)) == Period(day(3, 1), day(3, 15))
    assert ACCOUNT.ended(at=day(2, 1)).period_after(Period.month(2024, 2)) is None


@pytest.mark.parametrize("wrong", ["2024-02", None, day(2, 1)])
@pytest.mark.parametrize(
    "method", ["has", "divides", "whole_of", "last_terms", "agreed_in", "period_after", "parts"]
)
def test_a_time_of_another_type_is_refused(method: str, wrong: Any) -> None:
    with pytest.raises(InvalidType, match=r"^period: must be of type Period"):
        getattr(LIFE, method)(wrong)


def test_an_account_goes_on_from_no_value_of_another_type() -> None:
    wrong: Any = "org-1"
    with pytest.raises(InvalidType, match=r"^earlier: must be of type Account"):
        LIFE.require_goes_on_from(wrong)


def test_an_account_that_begins_at_the_last_instant_has_no_last_terms() -> None:
    never = Account("org-1", "starter", datetime.max.replace(tzinfo=UTC))
    with pytest.raises(NoTerms, match=r"must be when the org has terms: never"):
        never.last_terms(Period.month(2024, 2))
