"""The contract of repositories: derive from it, and an adapter of your own is certified.

The tests say the promises of `overages.repository.Repository`, one behaviour each, and each of them
gets a new repository:

    class TestOurRepository(RepositoryContract):
        def make(self) -> Repository:
            return OurRepository("test")

        def open_again(self) -> AbstractContextManager[Repository]:
            return closing(OurRepository("test"))
"""

# ruff: noqa: E402

from __future__ import annotations

import sys
from typing import Final

import pytest

_NOUNS: Final = (
    "alerts base batches budgets chains closings corrections events grants handles metrics plans"
    " quotas records refusals reservations sums tenants transactions usage values"
)
_PARTS: Final = [f"{__name__}.{noun}" for noun in _NOUNS.split()]
# So that pytest shows both sides of a comparison that failed, as it does in files of tests.
pytest.register_assert_rewrite(*(part for part in _PARTS if part not in sys.modules))

from overages.testing.contract.accounts import AccountContract
from overages.testing.contract.alerts import AlertContract, FiredAlertContract
from overages.testing.contract.batches import EventBatchContract
from overages.testing.contract.budgets import BudgetContract
from overages.testing.contract.chains import ChainContract
from overages.testing.contract.closings import ClosedAccountContract, ClosingContract
from overages.testing.contract.corrections import BatchContract, CorrectionContract
from overages.testing.contract.events import EventContract
from overages.testing.contract.grants import GrantContract
from overages.testing.contract.handles import HandleContract
from overages.testing.contract.metrics import MetricContract
from overages.testing.contract.plans import PlanContract
from overages.testing.contract.quotas import QuotaContract
from overages.testing.contract.records import RecordContract, RevisionContract
from overages.testing.contract.refusals import OverlapContract, RefusalContract
from overages.testing.contract.reservations import ReservationContract
from overages.testing.contract.sums import LastEventContract, SumContract, WithdrawalContract
from overages.testing.contract.tenants import NameContract, TenantContract
from overages.testing.contract.transactions import TransactionContract
from overages.testing.contract.usage import UsageContract
from overages.testing.contract.values import ValueContract


class RepositoryContract(
    PlanContract,
    MetricContract,
    AccountContract,
    EventContract,
    EventBatchContract,
    UsageContract,
    SumContract,
    WithdrawalContract,
    LastEventContract,
    GrantContract,
    BudgetContract,
    AlertContract,
    FiredAlertContract,
    RecordContract,
    CorrectionContract,
    BatchContract,
    RevisionContract,
    ClosingContract,
    ClosedAccountContract,
    OverlapContract,
    RefusalContract,
    ChainContract,
    TransactionContract,
    ReservationContract,
    QuotaContract,
    HandleContract,
    TenantContract,
    NameContract,
    ValueContract,
):
    """The promises of a storage; override `make`, `open_again` and, if need be, `close`."""
