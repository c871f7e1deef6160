"""Changes that a book makes in a database, each printed as one line.

print(change)                                     # metric seats: new
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from attrs import frozen

from overages._ground.value import non_defaults
from overages.alerts.alert import Alert
from overages.alerts.threshold import Threshold
from overages.amounts.money import Money
from overages.errors import shown
from overages.grants.grant import Grant
from overages.insight.budget import Budget
from overages.periods.cycle import Cycle
from overages.periods.period import reading
from overages.repository import Repository
from overages.terms.account import Account
from overages.terms.change import TermsChange
from overages.terms.plan import Plan
from overages.usage.metric import Metric

EVER: Final = datetime.min.replace(tzinfo=UTC)
"""The instant since which a plan is in force that always is."""

_MOST: Final = 3  # new entries of an account that its line tells


@frozen
class NewVersion:
    """A version of a plan that comes into force.

    :param version: the number that it has in the database.
    :param since: from when it is in force; None for the first one of a plan, which always is.
    """

    plan: Plan
    version: int
    since: datetime | None

    def put(self, repository: Repository, noted_at: datetime) -> None:
        """Keep the version; when it was noted isn't kept."""
        del noted_at
        repository.put_plan(self.plan, since=self.since)

    def __str__(self) -> str:
        since = "always" if self.since in (None, EVER) else f"from {date_of(self.since)}"
        return f"plan {self.plan.slug}: version {self.version}, in force {since}"


@frozen
class NewMetric:
    """A metric that counts from now on; several are put at once, as they have to fit together.

    :param before: the one of its name that it takes the place of; None if it is new.
    """

    metric: Metric
    before: Metric | None

    def __str__(self) -> str:
        return f"metric {self.metric.name}: {_difference(self.before, self.metric)}"


@frozen
class NewEntries:
    """Entries that an org's account has more than the one in the database.

    :param count: how many of its entries are there: none, if the org has no account there.
    """

    account: Account
    count: int

    def put(self, repository: Repository, noted_at: datetime) -> None:
        """Keep the entries, as noted at an instant."""
        repository.put_account(self.account, noted_at=noted_at)

    def __str__(self) -> str:
        account = self.account
        status = "" if account.status == "active" else f", status {account.status}"
        first = f"plan {account.plan} from {date_of(account.since)}{status}"
        entries = [first, *map(_told, account.changes)][self.count :]
        told = "; ".join(entries[:_MOST])
        if len(entries) > _MOST:
            told += f"; and {len(entries) - _MOST} more"
        if not self.count:
            return f"account {account.org_id}: new: {told}"
        noun = "entry" if len(entries) == 1 else "entries"
        return f"account {account.org_id}: {len(entries)} {noun} more: {told}"


@frozen
class NewGrant:
    """A grant that an org is given, or one of its own that is taken back.

    :param is_voided: whether the database has it, and it is voided there.
    """

    org_id: str
    grant: Grant
    is_voided: bool = False

    def put(self, repository: Repository, noted_at: datetime) -> None:
        """Keep the grant, or void it; when it was noted isn't kept."""
        del noted_at
        if self.is_voided and self.grant.voided_at is not None:
            repository.void_grant(self.org_id, self.grant.id, self.grant.voided_at)
        else:
            repository.put_grant(self.org_id, self.grant)

    def __str__(self) -> str:
        since = self.grant.voided_at
        is_new = not self.is_voided or since is None
        told = "new" if is_new else f"voided from {date_of(since)}"
        return f"grant {self.org_id}/{self.grant.id}: {told}"


@frozen
class NewBudget:
    """A budget that an org has from now on.

    :param budget: None for one that is to count no more.
    :param before: the one of its id that it takes the place of; None if it is new.
    """

    org_id: str
    id: str
    budget: Budget | None
    before: Budget | None

    def put(self, repository: Repository, noted_at: datetime) -> None:
        """Keep the budget, as put at an instant, or drop it."""
        if self.budget is None:
            repository.drop_budget(self.org_id, self.id)
        else:
            repository.put_budget(self.org_id, self.budget, put_at=noted_at)

    def __str__(self) -> str:
        return f"budget {self.org_id}/{self.id}: {_difference(self.before, self.budget)}"


@frozen
class NewAlert:
    """An alert that fires from now on.

    :param alert: None for one that is to fire no more.
    :param before: the one of its id that it takes the place of; None if it is new.
    :param org_id: whose it is; None for all orgs.
    """

    id: str
    alert: Alert | None
    before: Alert | None
    org_id: str | None

    def put(self, repository: Repository, noted_at: datetime) -> None:
        """Keep the alert, as put at an instant, or drop it."""
        if self.alert is None:
            repository.drop_alert(self.id, org_id=self.org_id)
        else:
            repository.put_alert(self.alert, put_at=noted_at, org_id=self.org_id)

    def __str__(self) -> str:
        name = self.id if self.org_id is None else f"{self.org_id}/{self.id}"
        return f"alert {name}: {_difference(self.before, self.alert)}"


Change: TypeAlias = NewVersion | NewMetric | NewEntries | NewGrant | NewBudget | NewAlert
"""Something that a book has and a database doesn't."""


def date_of(instant: datetime | None) -> str:
    """Write an instant for a reader: a date, or with its time in UTC if it has one.

    >>> date_of(datetime(2024, 3, 1, tzinfo=UTC)), date_of(datetime(2024, 3, 1, 9, tzinfo=UTC))
    ('2024-03-01', '2024-03-01 09:00:00 UTC')
    """
    text = reading(instant or EVER)
    return f"{text} UTC" if " " in text else text


def _difference(before: Any, after: Any) -> str:
    """Write what a value changes in the one before it; None where there is none."""
    if after is None:
        return "dropped"
    if before is None:
        return "new"
    terms = non_defaults(after).keys() | non_defaults(before).keys()
    return ", ".join(
        f"{name} {text_of(new)} in place of {text_of(old)}"
        for name in sorted(terms)
        if (new := getattr(after, name)) != (old := getattr(before, name))
    )


def text_of(term: object) -> str:
    """Write a term for a reader."""
    if isinstance(term, datetime):
        return date_of(term)
    if isinstance(term, Threshold):
        return term.explain()
    if isinstance(term, Cycle):
        every = term.unit if term.every == 1 else f"{term.every} x {term.unit}"
        return f"{every} in {term.timezone}, from {date_of(term.anchor)}"
    return str(term) if isinstance(term, Money) else shown(term)


def _told(change: TermsChange) -> str:
    """Write an entry of an account in short."""
    if change.kind == "end":
        return f"ends on {date_of(change.since)}"
    if change.kind == "cancel":
        return f"takes back the entries of {date_of(change.since)}"
    terms = [
        f"{name} {term}" if isinstance(term, str | int) else name.replace("_", " ")
        for name, term in non_defaults(change).items()
        if name != "since"
    ]
    return f"{', '.join(terms)} from {date_of(change.since)}"
