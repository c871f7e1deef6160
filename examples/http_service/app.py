"""The host: who asks is found out here; what is answered is the library's to say."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Cookie, Depends, FastAPI, Header, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from examples.http_service import page
from examples.http_service.seed import METRICS, seed
from examples.http_service.sessions import COOKIE, SECONDS, Sessions
from examples.http_service.settings import HERE, Member, Settings
from examples.http_service.view import gather
from overages import OverageService, SqliteRepository
from overages.errors import OveragesError
from overages.exports import wire
from overages.exports.charts import STYLES

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # with none at all, a form of our own has no Origin either
    "X-Content-Type-Options": "nosniff",
}


def make_app(settings: Settings, repository: SqliteRepository) -> FastAPI:
    """Return the host, with its example data in place."""
    seed(repository, OverageService(repository, settings.clock, metrics=METRICS), settings.clock())
    service = OverageService(repository, settings.clock, enabled=settings.enabled, metrics=METRICS)
    app = FastAPI(docs_url=None, redoc_url=None)  # their pages would load scripts from elsewhere
    app.openapi = lambda: wire.openapi("Overages of an example host")  # type: ignore[method-assign]
    add_guards(app)
    add_api(app, settings, wire.Endpoints(service, repository, settings.clock))
    add_page(app, settings, service, repository)
    return app


def reply(answer: wire.Answer) -> JSONResponse:
    """Return an answer of the library's as a response of the framework's."""
    return JSONResponse(answer.body, answer.status, answer.headers)


async def body_of(request: Request) -> bytes:
    """Return the body of a request; of one that is too long, no more than shows it."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > wire.MOST_BYTES:
            break
    return bytes(body[: wire.MOST_BYTES + 1])


Body = Annotated[bytes, Depends(body_of)]
Session = Annotated[str | None, Cookie(alias=COOKIE)]


def add_api(app: FastAPI, settings: Settings, endpoints: wire.Endpoints) -> None:
    """Add the endpoints, for who shows a token."""

    def caller(authorization: Annotated[str | None, Header()] = None) -> Member:
        member = settings.member(wire.bearer_token(authorization))
        if member is None:
            raise HTTPException(401)
        return member

    @app.get(wire.OVERAGES_PATH)
    def overages(member: Annotated[Member, Depends(caller)]) -> Response:
        return reply(endpoints.overages(member.org_id))

    @app.get(wire.USAGE_PATH)
    def usage(member: Annotated[Member, Depends(caller)]) -> Response:
        return reply(endpoints.usage(member.org_id))

    @app.get(wire.HISTORY_PATH)
    def history(member: Annotated[Member, Depends(caller)], periods: str | None = None) -> Response:
        return reply(endpoints.history(member.org_id, periods))

    @app.get(wire.PROJECTION_PATH)
    def projection(member: Annotated[Member, Depends(caller)]) -> Response:
        return reply(endpoints.projection(member.org_id))

    @app.get(wire.ALERTS_PATH)
    def alerts(member: Annotated[Member, Depends(caller)], most: str | None = None) -> Response:
        return reply(endpoints.alerts(member.org_id, most))

    @app.post(wire.DECISION_PATH)
    def decide(member: Annotated[Member, Depends(caller)], body: Body) -> Response:
        return reply(endpoints.decision(member.org_id, body))

    @app.post(wire.ACKNOWLEDGE_PATH)
    def acknowledge(member: Annotated[Member, Depends(caller)], key: str) -> Response:
        return reply(endpoints.acknowledge(member.org_id, key, by=member.name))

    @app.post(wire.RECALCULATE_PATH)
    def recalculate(member: Annotated[Member, Depends(caller)], body: Body) -> Response:
        return reply(endpoints.recalculate(member.org_id, body))


def add_page(
    app: FastAPI, settings: Settings, service: OverageService, repository: SqliteRepository
) -> None:
    """Add the page, for who has signed in."""
    sessions = Sessions()

    @app.get("/")
    def show(session: Session = None) -> Response:
        member = sessions.member(session)
        if member is None:
            return HTMLResponse(page.sign_in())
        if member.org_id is None:
            return HTMLResponse(page.problem(member, "You are a member of no organization."), 403)
        try:
            view = gather(settings.database, repository, service, settings.clock, member.org_id)
            return HTMLResponse(page.overview(member, view))
        except Exception as error:
            answer = wire.failure(error, "OVERAGE_ERROR")
            return HTMLResponse(
                page.problem(member, answer.body["error"]["message"]), answer.status
            )

    @app.get("/charts.css")
    def charts() -> Response:
        return Response(STYLES, media_type="text/css")

    @app.get("/style.css")
    def style() -> Response:
        return FileResponse(HERE / "style.css")

    @app.post("/login")
    def login(request: Request, body: Body) -> Response:
        require_own_form(request)
        form = parse_qs(body.decode("utf-8", "replace"))
        member = settings.member(form.get("token", [None])[0])
        if member is None:
            return HTMLResponse(page.sign_in("Nobody has this token."), 401)
        response = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, sessions.open(member), max_age=SECONDS, httponly=True, samesite="strict",
            secure=secure,
        )  # fmt: skip
        return response

    @app.post("/alerts")
    def seen(request: Request, body: Body, session: Session = None) -> Response:
        require_own_form(request)
        member = sessions.member(session)
        if member is not None and member.org_id is not None:
            for key in parse_qs(body.decode("utf-8", "replace")).get("key", []):
                with suppress(OveragesError):  # of an alert that this org doesn't have
                    service.acknowledge(member.org_id, key, by=member.name)
        return RedirectResponse("/", 303)

    @app.post("/logout")
    def logout(request: Request, session: Session = None) -> Response:
        require_own_form(request)
        sessions.close(session)
        response = RedirectResponse("/", 303)
        response.delete_cookie(COOKIE)
        return response


def require_own_form(request: Request) -> None:
    """Refuse a form that another site has sent."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403)


def add_guards(app: FastAPI) -> None:
    """Add headers to every response, and the library's shape to the framework's refusals."""

    @app.middleware("http")
    async def headers(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(HTTPException)
    def refused(_: Request, error: HTTPException) -> Response:
        if error.status_code == 401:
            return reply(wire.unauthorized())
        code = error.detail.upper().replace(" ", "_")
        response = reply(wire.refusal(error.status_code, code, error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    def failed(request: Request, error: Exception) -> Response:
        logging.getLogger(__name__).error("%s failed", request.url.path, exc_info=error)
        return reply(wire.refusal(500, "INTERNAL_ERROR", "Something went wrong"))
