"""The example host, as its README starts it: over a socket, fuzzed, and its page."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import environ
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from overages import Period, SqliteRepository
from overages.exports.wire import (
    ALERTS_PATH,
    DECISION_PATH,
    HISTORY_PATH,
    MOST_BYTES,
    OVERAGES_PATH,
    RECALCULATE_PATH,
    USAGE_PATH,
)

for needed in ("fastapi", "uvicorn", "httpx", "schemathesis"):
    pytest.importorskip(needed)  # optional: without them, the tests here are skipped

import httpx  # noqa: E402

ROOT = Path(__file__).parent.parent
FEBRUARY = Period.month(2024, 2)
PATIENT = 300  # seconds, where the usual 5 would fail a slow machine
ADA, BARBARA, GRACE, ALAN, EDSGER = (
    {"Authorization": f"Bearer demo-token-of-{name}"}
    for name in ("ada", "barbara", "grace", "alan", "edsger")
)


@contextmanager
def service(database: Path, **environment: str) -> Iterator[str]:
    """Run the host in a process of its own, and give its address."""
    told = {**environ, "OVERAGES_DB": str(database), "OVERAGES_PORT": "0", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "examples.http_service"],
        cwd=ROOT, env=told, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                yield found[1]
                return
        pytest.fail("".join(said))
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("http") / "service.db"


@pytest.fixture(scope="module")
def address(database: Path) -> Iterator[str]:
    with service(database) as url:
        yield url


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=PATIENT) as opened:
        yield opened


@pytest.mark.skipif(which("curl") is None, reason="needs curl")
def test_the_readme_says_what_curl_says(tmp_path: Path) -> None:
    told = (ROOT / "examples/http_service/README.md").read_text(encoding="utf-8")
    steps = [
        step
        for block in re.findall(r"^```console\n(.*?)^```$", told, re.MULTILINE | re.DOTALL)
        for step in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]
    assert len(steps) == 8
    with service(tmp_path / "http_service.db") as url:
        for command, expected in steps:
            words = shlex.split(command.replace("http://127.0.0.1:8000", url))
            if words[0] == ".venv-http/bin/overages":
                words[0:1] = [sys.executable, "-m", "overages"]
            said = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
            assert said.stdout.strip() == expected.strip()


def test_usage_becomes_a_bill_once(client: httpx.Client, database: Path) -> None:
    """Hand-worked: 250,000 tokens at 10 milli-cents, and 25 runs at 100 cents."""
    bill = {
        "success": True,
        "data": {
            "orgId": "org-123",
            "period": {"start": "2024-02-01T00:00:00Z", "end": "2024-03-01T00:00:00Z"},
            "overages": {
                "tokens": {"amount": 250_000, "unitPrice": 10, "cost": 2500},
                "playbookRuns": {"amount": 25, "unitPrice": 100, "cost": 2500},
                "seats": {"amount": 0, "unitPrice": 0, "cost": 0},
            },
            "totalCost": 5000,
        },
    }
    before = client.get(OVERAGES_PATH, headers=ADA).json()["data"]
    assert before["totalCost"] == 0
    assert before["period"] == bill["data"]["period"]  # type: ignore[index]
    seen = []
    for body in (None, {}, {"force": False}, {"force": True}):
        response = client.post(RECALCULATE_PATH, headers=ADA, json=body) if body is not None else (
            client.post(RECALCULATE_PATH, headers=ADA)
        )  # fmt: skip
        assert (response.status_code, response.json()) == (200, bill)
        assert client.get(OVERAGES_PATH, headers=ADA).json() == bill
        with SqliteRepository.read_only(database) as repository:
            seen.append(repository.records("org-123", FEBRUARY))
    assert len(seen[0]) == 2
    assert seen == [seen[0]] * 4


def test_recalculating_at_once_records_once(address: str, database: Path) -> None:
    def recalculate(_: int) -> httpx.Response:
        return httpx.post(f"{address}{RECALCULATE_PATH}", headers=GRACE, timeout=PATIENT)

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(recalculate, range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    with SqliteRepository.read_only(database) as repository:
        assert [record.revision for record in repository.records("northwind")] == [1]


def test_a_member_reads_usage_history_and_alerts(client: httpx.Client) -> None:
    usage = client.get(USAGE_PATH, headers=ADA).json()["data"]
    assert usage["metrics"]["tokens"] == {
        "used": 750_000, "limit": 500_000, "remaining": 0, "percent": 150, "amount": 250_000,
        "cost": 2500,
    }  # fmt: skip
    history = client.get(HISTORY_PATH, headers=ADA, params={"periods": 3}).json()["data"]
    assert [each["isClosed"] for each in history["periods"]] == [False, True, True]
    assert [each["totalCost"] for each in history["periods"][1:]] == [1523, 300]
    alerts = client.get(ALERTS_PATH, headers=ADA, params={"most": 1}).json()["data"]
    (alert,) = alerts["alerts"]
    assert alert["alert"] == "playbook_runs-100"
    asked = {"requested": {"tokens": 1000}, "enforce": True}
    decision = client.post(DECISION_PATH, headers=ADA, json=asked).json()["data"]
    assert (decision["verdict"], decision["cost"]) == ("allow", 10)
    path = f"{ALERTS_PATH}/{alert['key']}/acknowledge"
    assert client.post(path, headers=BARBARA).status_code == 404
    seen = client.post(path, headers=ADA).json()["data"]
    assert (seen["acknowledgedBy"], seen["key"]) == ("Ada", alert["key"])


@pytest.mark.parametrize(
    ("headers", "org"), [(ADA, "org-123"), (BARBARA, "globex"), (GRACE, "northwind")]
)
def test_a_member_sees_its_org_alone(
    client: httpx.Client, headers: dict[str, str], org: str
) -> None:
    others = {"org-123", "globex", "northwind"} - {org}
    for asked in ({}, {"org": "acme"}, {"orgId": "acme", "org_id": "acme"}):
        responses = [
            client.get(OVERAGES_PATH, headers=headers, params=asked),
            client.post(RECALCULATE_PATH, headers=headers, params=asked),
            client.post(RECALCULATE_PATH, headers=headers, json={"force": True}),
        ]
        assert [response.json()["data"]["orgId"] for response in responses] == [org] * 3
        assert not any(other in response.text for response in responses for other in others)
    data = responses[0].json()["data"]
    lines = [*data["overages"].values(), *data.get("adjustments", [])]
    assert sum(line["cost"] for line in lines) == data["totalCost"]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("GET", OVERAGES_PATH, {}, 401, "UNAUTHORIZED"),
        ("GET", OVERAGES_PATH, {"headers": {"Authorization": "Bearer x"}}, 401, "UNAUTHORIZED"),
        ("GET", OVERAGES_PATH, {"params": {"token": "demo-token-of-ada"}}, 401, "UNAUTHORIZED"),
        ("POST", RECALCULATE_PATH, {"content": "{"}, 401, "UNAUTHORIZED"),
        ("GET", OVERAGES_PATH, {"headers": EDSGER}, 403, "NO_ORG_ACCESS"),
        ("POST", RECALCULATE_PATH, {"headers": EDSGER}, 403, "NO_ORG_ACCESS"),
        ("POST", RECALCULATE_PATH, {"headers": ALAN}, 400, "CALCULATION_FAILED"),
        ("POST", RECALCULATE_PATH, {"headers": ADA, "json": {"force": 1}}, 400, "VALIDATION_ERROR"),
        ("POST", RECALCULATE_PATH, {"headers": ADA, "content": "{"}, 400, "VALIDATION_ERROR"),
        (
            "POST",
            RECALCULATE_PATH,
            {"headers": ADA, "content": b" " * (3 * MOST_BYTES)},
            400,
            "VALIDATION_ERROR",
        ),
        ("PUT", OVERAGES_PATH, {"headers": ADA}, 405, "METHOD_NOT_ALLOWED"),
        ("POST", f"{ALERTS_PATH}/x/acknowledge", {"headers": ADA}, 404, "UNKNOWN_ALERT"),
        ("POST", f"{ALERTS_PATH}/x/acknowledge", {}, 401, "UNAUTHORIZED"),
        ("GET", ALERTS_PATH, {"headers": ADA, "params": {"most": 0}}, 400, "VALIDATION_ERROR"),
        (
            "GET",
            HISTORY_PATH,
            {"headers": ADA, "params": {"periods": "x"}},
            400,
            "VALIDATION_ERROR",
        ),
        (
            "POST",
            DECISION_PATH,
            {"headers": ALAN, "json": {"requested": {"tokens": 1}, "enforce": True}},
            402,
            "QUOTA_EXCEEDED",
        ),
        ("POST", DECISION_PATH, {"headers": ADA, "json": {}}, 400, "VALIDATION_ERROR"),
        ("GET", USAGE_PATH, {"headers": ALAN}, 400, "CALCULATION_FAILED"),
        ("GET", "/nowhere", {"headers": ADA}, 404, "NOT_FOUND"),
    ],
)
def test_a_refusal_has_its_code(
    client: httpx.Client, method: str, path: str, sent: dict[str, Any], status: int, code: str
) -> None:
    response = client.request(method, path, **sent)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.json()["success"] is False
    assert (response.headers.get("WWW-Authenticate") == "Bearer") is (status == 401)


def test_nothing_is_done_while_billing_is_off(database: Path) -> None:
    with service(database.with_name("off.db"), ENABLE_OVERAGE_BILLING="false") as url:
        reading = [("GET", path) for path in (OVERAGES_PATH, USAGE_PATH, HISTORY_PATH, ALERTS_PATH)]
        for method, path in (*reading, ("POST", RECALCULATE_PATH)):
            response = httpx.request(method, f"{url}{path}", headers=ADA, timeout=PATIENT)
            assert response.status_code == 503
            assert response.json()["error"]["code"] == "OVERAGE_BILLING_DISABLED"
        with httpx.Client(base_url=url, timeout=PATIENT) as browser:
            signed_in = browser.post("/login", data={"token": "demo-token-of-ada"})
            assert signed_in.status_code == 303
            shown = browser.get("/")
            assert shown.status_code == 503
            assert "Overage billing is not enabled" in shown.text


def test_what_is_sent_at_random_is_answered_as_described(address: str, tmp_path: Path) -> None:
    """Every answer has a status, a type and a shape that the description names."""
    # A schema can't say what a decimal is, nor that the fewest units are at most those requested.
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        f'[[operations]]\ninclude-path = "{DECISION_PATH}"\n'
        "checks.positive_data_acceptance.enabled = false\n"
    )
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", f"{address}/openapi.json"),
        *("--header", f"Authorization: {ADA['Authorization']}", "--no-color"),
        *("--max-examples", "50", "--generation-deterministic", "--request-timeout", str(PATIENT)),
    ]
    fuzzed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert fuzzed.returncode == 0, fuzzed.stdout
    assert "Tested: 8" in fuzzed.stdout


class TestThePage:
    """Is for who has signed in, and safe against what others put in it."""

    @pytest.fixture
    def ada(self, client: httpx.Client) -> httpx.Client:
        answer = client.post("/login", data={"token": "demo-token-of-ada"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "demo-token" not in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        return client

    def test_shows_what_is_due_and_what_was(self, ada: httpx.Client) -> None:
        text = re.sub(r"(\s*<[^>]*>\s*)+", "|", ada.get("/").text)
        assert "|February 2024|, 9 days left|$50.00|so far, beyond what is included" in text
        assert "|January 2024 was corrected: 12,345 tokens more, $1.23 more.|" in text

    def test_needs_no_script_and_lets_none_run(self, ada: httpx.Client) -> None:
        shown = ada.get("/")
        policy = shown.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self';")
        assert "unsafe" not in policy
        assert not re.search(
            r"<script|<style|\sstyle=|\son\w+=|(href|src|action)=\"http", shown.text
        )
        assert shown.headers["cache-control"] == "no-store"
        for sheet in re.findall(r'rel="stylesheet" href="([^"]*)"', shown.text):
            assert ada.get(sheet).headers["content-type"].startswith("text/css")

    def test_is_gone_after_signing_out(self, ada: httpx.Client) -> None:
        kept = dict(ada.cookies)
        assert "Sign out" in ada.get("/").text
        assert ada.post("/logout").status_code == 303
        with httpx.Client(base_url=ada.base_url, cookies=kept, timeout=PATIENT) as thief:
            assert "Sign out" not in thief.get("/").text

    def test_is_no_way_into_the_api(self, ada: httpx.Client) -> None:
        assert ada.get(OVERAGES_PATH).status_code == 401
        assert ada.post(RECALCULATE_PATH).status_code == 401

    @pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
    @pytest.mark.parametrize("form", ["/login", "/logout"])
    def test_takes_no_form_of_another_site(
        self, client: httpx.Client, form: str, origin: str
    ) -> None:
        sent = client.post(form, data={"token": "demo-token-of-ada"}, headers={"Origin": origin})
        assert sent.status_code == 403
        assert "set-cookie" not in sent.headers

    @pytest.mark.parametrize("form", [{"token": "<b>x"}, {}, {"token": ""}])
    def test_asks_again_for_a_token_that_nobody_has(
        self, client: httpx.Client, form: dict[str, str]
    ) -> None:
        answer = client.post("/login", data=form)
        assert (answer.status_code, "Nobody has this token." in answer.text) == (401, True)
        assert "<b>" not in answer.text

    @pytest.mark.parametrize(
        ("name", "status", "text"),
        [
            ("alan", 200, "There is no plan"),
            ("edsger", 403, "You are a member of no organization."),
        ],
    )
    def test_says_why_there_is_nothing_to_see(
        self, client: httpx.Client, name: str, status: int, text: str
    ) -> None:
        client.post("/login", data={"token": f"demo-token-of-{name}"})
        shown = client.get("/")
        assert (shown.status_code, text in shown.text) == (status, True)


def test_an_alert_is_shown_until_it_is_seen(tmp_path: Path) -> None:
    with service(tmp_path / "alerts.db") as url, httpx.Client(base_url=url, timeout=PATIENT) as ada:
        ada.post("/login", data={"token": "demo-token-of-ada"})
        seen = "Seen: Your tokens passed 100 %"
        shown = ada.get("/").text
        assert seen in shown
        form = next(part for part in shown.split("<form")[1:] if seen in part)
        keys = re.findall(r'name="key" value="([0-9a-f-]+)"', form)
        assert len(keys) == 3
        refused = ada.post("/alerts", data={"key": keys}, headers={"Origin": "null"})
        assert refused.status_code == 403
        with httpx.Client(base_url=url, timeout=PATIENT) as stranger:
            assert stranger.post("/alerts", data={"key": keys}).status_code == 303
            stranger.post("/login", data={"token": "demo-token-of-barbara"})
            assert stranger.post("/alerts", data={"key": [*keys, "?"]}).status_code == 303
        assert seen in ada.get("/").text
        assert ada.post("/alerts", data={"key": keys}).headers["location"] == "/"
        after = ada.get("/").text
        assert seen not in after
        assert "<summary>1 seen</summary>" in after
        assert re.search("Your tokens passed 100 %[^<]*<[^<]*Seen by Ada, 20 February 2024<", after)
