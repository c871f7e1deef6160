"""The hosts shown in "How to serve it over HTTP" run, with a stand-in for the framework."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from tests.since import SINCE

from overages import (
    Account,
    Alert,
    Allowance,
    MemoryRepository,
    OverageService,
    PerUnit,
    Plan,
    Threshold,
    UsageEvent,
)
from overages.exports import wire
from overages.exports.wire import (
    ACKNOWLEDGE_PATH,
    ALERTS_PATH,
    DECISION_PATH,
    HISTORY_PATH,
    OVERAGES_PATH,
    PROJECTION_PATH,
    RECALCULATE_PATH,
    USAGE_PATH,
    Endpoints,
    openapi,
)

PAGE = Path(__file__).parents[3] / "docs/how-to/serve-over-http.md"
BLOCK = re.compile(r"^```\{code-block\} python\n:caption: (\w+)\n\n(.*?)^```$", re.M | re.S)
SHOWN = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
NOW = datetime(2024, 2, 20, tzinfo=UTC)
ADA = {"Authorization": "Bearer ada"}

Call = Callable[..., tuple[int, Any, dict[str, str]]]


def _routed(routes: dict[str, Any], path: str) -> tuple[Any, list[str]]:
    """Return the view of a path, and the parts of it that the pattern names."""
    for pattern, view in routes.items():
        parts = re.fullmatch(pattern.replace("<key>", "([^/]+)"), path)
        if parts is not None:
            return view, list(parts.groups())
    raise LookupError(path)


def module(name: str, **things: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(things)
    return made


@pytest.fixture
def host() -> ModuleType:
    repository = MemoryRepository()
    repository.put_plan(Plan("p", "USD", {"runs": Allowance(50, PerUnit("1.00"))}))
    repository.put_account(Account("org-123", plan="p", since=SINCE))
    service = OverageService(repository, lambda: NOW)
    service.put_alert(Alert("runs-80", Threshold(percent=80), metric="runs"))
    service.record_usage([UsageEvent("org-123", "runs", 40, at=NOW, id="evt-1")])
    members = {"ada": SimpleNamespace(org_id="org-123"), "edsger": SimpleNamespace(org_id=None)}
    endpoints = Endpoints(service, repository, lambda: NOW)
    return module("host", endpoints=endpoints, member_of=members.get)


@pytest.fixture
def flask(host: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Call:
    routes: dict[str, Any] = {}
    request = SimpleNamespace()

    class Flask:
        def __init__(self, name: str) -> None:
            assert name == "shown"

        def get(self, path: str) -> Callable[[Any], Any]:
            return lambda view: routes.setdefault(path, view)

        post = get

    monkeypatch.setitem(sys.modules, "host", host)
    monkeypatch.setitem(sys.modules, "flask", module("flask", Flask=Flask, request=request))
    exec(compile(SHOWN["flask"], str(PAGE), "exec"), {"__name__": "shown"})

    def call(path: str, headers: dict[str, str], body: bytes, query: str = "") -> Any:
        request.headers, request.get_data = headers, lambda: body
        request.args = dict(parse_qsl(query))
        view, key = _routed(routes, path)
        said, status, sent = view(*key)
        return status, said, sent

    return call


@pytest.fixture
def django(host: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Call:
    def as_it_is(thing: Any) -> Any:
        return thing

    modules = {
        "host": host,
        "django.http": module("http", JsonResponse=lambda body, **more: (body, more)),
        "django.urls": module("urls", path=lambda *pair: pair),
        "django.views.decorators.csrf": module("csrf", csrf_exempt=as_it_is),
        "django.views.decorators.http": module("d", require_GET=as_it_is, require_POST=as_it_is),
    }
    for parent in ("django", "django.views", "django.views.decorators"):
        modules[parent] = module(parent)
    for name, stand_in in modules.items():
        monkeypatch.setitem(sys.modules, name, stand_in)
    shown: dict[str, Any] = {}
    exec(compile(SHOWN["django"], str(PAGE), "exec"), shown)

    def call(path: str, headers: dict[str, str], body: bytes, query: str = "") -> Any:
        view, key = _routed({f"/{path}": view for path, view in shown["urlpatterns"]}, path)
        got = SimpleNamespace(headers=headers, body=body, GET=dict(parse_qsl(query)))
        said, more = view(got, *key)
        return more["status"], said, more["headers"]

    return call


@pytest.mark.parametrize("framework", SHOWN)
def test_a_host_of_ten_lines_answers(framework: str, request: pytest.FixtureRequest) -> None:
    call: Call = request.getfixturevalue(framework)
    for path in (OVERAGES_PATH, RECALCULATE_PATH):
        status, body, _ = call(path, ADA, b'{"force": true}')
        assert (status, body["data"]["orgId"], body["data"]["totalCost"]) == (200, "org-123", 0)
        assert call(path, {"Authorization": "Bearer edsger"}, b"")[0] == 403
        for headers in ({}, {"Authorization": "Bearer x"}):
            status, body, sent = call(path, headers, b"")
            assert (status, body["error"]["code"]) == (401, "UNAUTHORIZED")
            assert sent == {"WWW-Authenticate": "Bearer"}
    assert call(RECALCULATE_PATH, ADA, b"force")[0] == 400
    status, body, sent = call(USAGE_PATH, ADA, b"")
    assert (status, body["data"]["metrics"]["runs"]["percent"], sent) == (200, 80, {})
    status, body, sent = call(
        DECISION_PATH, ADA, b'{"requested": {"runs": 11}, "stopAt": ["limit"], "enforce": true}'
    )
    assert (status, body["error"]["code"]) == (402, "QUOTA_EXCEEDED")
    assert sent == {"Retry-After": "864000"}
    assert call(HISTORY_PATH, ADA, b"")[1]["data"]["periods"][0]["totalCost"] == 0
    assert call(PROJECTION_PATH, ADA, b"")[1]["data"]["metrics"]["runs"]["used"] == 40
    (alert,) = call(ALERTS_PATH, ADA, b"", "most=1")[1]["data"]["alerts"]
    path = ACKNOWLEDGE_PATH.replace("{key}", alert["key"])
    status, body, _ = call(path, ADA, b"")
    assert (status, body["data"]["acknowledgedAt"]) == (200, "2024-02-20T00:00:00Z")
    for path in (HISTORY_PATH, ALERTS_PATH):
        assert call(path, ADA, b"", "periods=0&most=0")[0] == 400


@pytest.mark.parametrize("framework", SHOWN)
def test_every_endpoint_is_shown(framework: str) -> None:
    paths = {name: path for name, path in vars(wire).items() if name.endswith("_PATH")}
    assert set(paths.values()) == set(openapi()["paths"])
    for name in paths:
        assert len(re.findall(rf"\b{name}\b", SHOWN[framework])) == 2, name  # imported, and used


def test_both_frameworks_are_shown() -> None:
    assert set(SHOWN) == {"flask", "django"}
