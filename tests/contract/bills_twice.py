"""An adapter that bills twice, and the contract over it: `test_bills_twice.py` says what fails.

Called by one thread it keeps every promise. But it reads what is recorded, lets others write, and
only then writes, as one would that has a transaction for each of these two.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import Condition

from overages import MemoryRepository, Repository, Statement
from overages.records.ledger import Ledger
from overages.testing.contract import RepositoryContract


class BillsTwice(MemoryRepository):
    """Takes its turn anew between reading what is recorded and adding to it."""

    def _ledgers(self, statements: Sequence[Statement]) -> Mapping[str, Ledger]:
        ledgers = super()._ledgers(statements)
        Condition(self._lock).wait(0.002)  # lets others in while a server would answer
        return ledgers

    def _append(self, ledgers: Iterable[Ledger]) -> None:
        for ledger in ledgers:
            if ledger.new:
                new = ledger.records[-len(ledger.new) :]
                self._journal.extend(self._journal.listed(self._records, ledger.org_id), new)
            if ledger.closings:
                closings = self._journal.listed(self._closings, ledger.org_id)
                self._journal.extend(closings, ledger.closings)
            if ledger.new or ledger.closings:
                self._journal.set(self._heads, ledger.org_id, ledger.head)


class TestBillsTwice(RepositoryContract):
    made: BillsTwice

    def make(self) -> Repository:
        self.made = BillsTwice()
        return self.made

    def open_again(self) -> AbstractContextManager[Repository]:
        return nullcontext(self.made)
