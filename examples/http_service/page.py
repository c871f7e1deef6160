"""The page of an org, and those that stand in its place."""

from html import escape

from examples.http_service import notices, past, present
from examples.http_service.layout import document, header
from examples.http_service.settings import Member
from examples.http_service.view import View


def sign_in(problem: str = "") -> str:
    """Return the page that asks for a token."""
    note = f'<p class="problem" role="alert" id="problem">{escape(problem)}</p>' if problem else ""
    described = ' aria-describedby="problem" aria-invalid="true"' if problem else ""
    return document(
        "Sign in",
        f"""<main class="narrow"><h1>Your usage and charges</h1>
<form method="post" action="/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required
 autofocus{described}>
{note}<button>Sign in</button>
</form></main>""",
    )


def problem(member: Member, message: str) -> str:
    """Return the page that says why there is nothing to see."""
    said = f'<p class="problem">{escape(message)}</p>'
    return document("Usage and charges", f'{header(member)}<main id="main">{said}</main>')


def overview(member: Member, view: View | None) -> str:
    """Return the page of an org; None where it has no plan."""
    if view is None:
        return problem(member, "There is no plan, and so nothing to calculate by.")
    period = view.statement.period.name(view.zone)
    left = (present.due, notices.alerts, notices.budgets, present.credit, past.changes)
    right = (present.used, past.charged)
    columns = ("".join(part(view) for part in side) for side in (left, right))
    return document(
        f"{period}, {member.org_id}",
        f"""{header(member)}<main id="main">
<div class="columns">{"".join(f"<div>{column}</div>" for column in columns)}</div>
{present.as_of(view)}{past.details(view)}</main>""",
    )
