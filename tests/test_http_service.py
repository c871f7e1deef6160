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

from examples.http_service import page
from examples.http_service.seed import GROWTH
from examples.http_service.settings import Member
from overages import Period, SqliteRepository, Usage, calculate
from overages.exports.wire import MOST_BYTES, OVERAGES_PATH, RECALCULATE_PATH

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
    assert len(steps) == 6
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
        assert [record.revision for record in repository.records("northwind")] == [1, 1]


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
        for method, path in (("GET", OVERAGES_PATH), ("POST", RECALCULATE_PATH)):
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
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json"),
        *("--header", f"Authorization: {ADA['Authorization']}", "--no-color"),
        *("--max-examples", "50", "--generation-deterministic", "--request-timeout", str(PATIENT)),
    ]
    fuzzed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert fuzzed.returncode == 0, fuzzed.stdout
    assert "Tested: 2" in fuzzed.stdout


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

    def test_shows_the_statement_and_the_history(self, ada: httpx.Client) -> None:
        ada.post(RECALCULATE_PATH, headers=ADA)
        shown = ada.get("/")
        text = re.sub(r"\s*<[^>]*>\s*", "|", shown.text)
        text = re.sub(r"\|+", "|", text)
        assert "|50.00 USD|as recorded|" in text
        assert "|tokens|750,000|500,000|250,000|250,000 x 0.0001|25|25.00 USD|" in text
        assert "|2024-01-01 to 2024-02-01 UTC|closed|" in text
        assert "|tokens|2|12,345|0.0001|1.2345|1.23 USD|" in text
        assert text.index("2024-02-01 to") < text.index("2024-01-01 to")
        assert not re.search("acme|globex|northwind", text)

    def test_needs_no_script_and_lets_none_run(self, ada: httpx.Client) -> None:
        shown = ada.get("/")
        policy = shown.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self';")
        assert "unsafe" not in policy
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?:", shown.text)
        assert shown.headers["cache-control"] == "no-store"
        assert ada.get("/style.css").headers["content-type"].startswith("text/css")

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

    def test_explains_adjustments_and_escapes_every_name(self) -> None:
        usage = Usage("<i>&org", FEBRUARY, {"tokens": 2_345_678})
        statement = calculate(GROWTH, usage)
        html = page.overview(Member("<script>", "<i>&org"), statement, (), ())
        assert "minimum: 96.88 USD -&gt; 400.00 USD" in html
        assert "of which recorded: 0.00 USD" in html
        assert "<script>" not in html
        assert "&lt;i&gt;&amp;org" in html
        assert "<i>" not in html
