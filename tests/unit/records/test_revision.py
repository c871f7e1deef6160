"""Revisions: what a statement adds, as rows at once and as records when they are asked for."""

import pickle

import pytest
from tests.recorded import AT
from tests.settled import DOLLAR, JAN

from overages import Allowance, Plan, Usage, calculate
from overages.records.chain import row_of
from overages.records.ledger import Ledger
from overages.records.recording import Recording
from overages.records.revision import Recordings, Revision

PLAN = Plan("p", "USD", {"runs": Allowance(10, DOLLAR), "seats": Allowance(0, DOLLAR)})


def added(ledger: Ledger, **used: int) -> Revision:
    statement = calculate(PLAN, Usage(ledger.org_id, JAN, used))
    return ledger.add(statement, plan_version=1, created_at=AT)


def test_its_records_say_what_its_rows_do() -> None:
    ledger = Ledger("org-1")
    records = [*added(ledger, runs=15, seats=2).new, *added(ledger, runs=12).new]
    assert [(*row_of(record), record.digest) for record in records] == ledger.new


def test_a_record_is_made_once() -> None:
    revision = added(Ledger("org-1"), runs=15)
    assert revision.new[0] is revision.new[0] is revision.recording().new[0]


def test_its_recording_has_the_records_before_it_and_none_that_came_later() -> None:
    ledger = Ledger("org-1")
    first, same, last = added(ledger, runs=15), added(ledger, runs=15), added(ledger, runs=12)
    assert first.recording() == Recording(first.new, first.new)
    assert same.recording() == Recording(first.new, ())
    assert last.recording() == Recording((*first.new, *last.new), last.new)
    assert ledger.records == [*first.new, *last.new]


def test_recordings_of_a_batch_are_a_sequence() -> None:
    revisions = [added(Ledger(org_id), runs=15) for org_id in ("org-1", "org-2", "org-3")]
    recordings = Recordings(revisions)
    made = [revision.recording() for revision in revisions]
    assert (len(recordings), list(recordings)) == (3, made)
    assert (recordings[-1], list(recordings[1:])) == (made[2], made[1:])
    assert repr(recordings) == f"Recordings({made})"
    with pytest.raises(IndexError):
        recordings[3]
    assert recordings == made == recordings[:]
    assert recordings != tuple(made)
    with pytest.raises(TypeError, match="unhashable"):
        hash(recordings)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_recordings_come_back_from_a_pickle_as_a_list(protocol: int) -> None:
    recordings = Recordings([added(Ledger("org-1"), runs=15)])
    again = pickle.loads(pickle.dumps(recordings, protocol))
    assert (type(again), again) == (list, recordings)
