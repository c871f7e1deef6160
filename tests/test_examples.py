"""The examples do what they say."""

import csv
import io
import re
import runpy
import sys
from pathlib import Path

import pytest

from overages.commands.parser import main

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_a_trace_of_requests_is_rated_to_the_last_digit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hand-worked: 4808 + 3180 tokens in, 10 + 8 out, one org each; 3 USD a million and 0.01."""
    monkeypatch.setattr(sys, "argv", ["llm_trace.py"])
    runpy.run_path(str(EXAMPLES / "llm_trace.py"), run_name="__main__")
    usage = tmp_path / "usage.csv"
    usage.write_text(capsys.readouterr().out)
    plans = tmp_path / "plans.toml"
    plans.write_text(
        """
        default_plan = "llm"
        [plans.llm]
        currency = "USD"
        [plans.llm.allowances.context_tokens]
        included = 0
        price = { model = "per_unit", price = 3, per = 1_000_000 }
        [plans.llm.allowances.generated_tokens]
        included = 9
        price = { model = "per_unit", price = "0.01" }
        """
    )
    main(["rate", "--plans", str(plans), "--usage", str(usage), "--new-orgs", "--format", "csv"])
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert [(row["org_id"], row["over"], row["exact_cost"], row["cost"]) for row in rows] == [
        ("org-000", "4808", "0.014424", "0.01"),
        ("org-000", "1", "0.01", "0.01"),
        ("org-001", "3180", "0.00954", "0.01"),
        ("org-001", "0", "0", "0.00"),
    ]


def test_a_trace_is_read_from_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9,7,8\n")
    monkeypatch.setattr(sys, "argv", ["llm_trace.py", str(trace)])
    runpy.run_path(str(EXAMPLES / "llm_trace.py"), run_name="__main__")
    assert capsys.readouterr().out.splitlines()[1:] == [
        "0-context_tokens,org-000,context_tokens,7,2023-11-16 18:17:03.9Z",
        "0-generated_tokens,org-000,generated_tokens,8,2023-11-16 18:17:03.9Z",
    ]


def test_a_month_in_the_life_of_a_service(capsys: pytest.CaptureFixture[str]) -> None:
    """Hand-worked: 29 days of 26,000 tokens and 3 runs, and 10,000 tokens that come late.

    264,000 tokens over at 0.0001 are 26.40, and 37 runs at 1.00 are 37.00. A day adds a record for
    each metric that is over by then: 10 days of tokens, 13 of runs, and one for late tokens. The
    month is closed before that, and then corrected.
    """
    runpy.run_path(str(EXAMPLES / "billing_service.py"), run_name="__main__")
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "01 March: 63.40 USD, new records: 1",
        "records and closings: 26, all as recorded",
    ]


def test_what_stripe_would_be_told_adds_up_to_the_statement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Hand-worked: 1,000,000 tokens at 0.0001 and 250,000 at 0.00008; 25 runs, of which 5 go."""
    runpy.run_path(str(EXAMPLES / "stripe_preview.py"), run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [
        " 12000 usd  tokens: up to 1,000,000: 1,000,000 x 0.0001 = 100;"
        " above 1,000,000: 250,000 x 0.00008 = 20",
        "  2500 usd  playbook_runs: 25 x 1",
        "  -500 usd  playbook_runs, revision 2: -5 x 1",
        " 14000 usd, and the statement says 140.00 USD",
    ]


def test_the_terms_of_a_contract_are_explained_to_the_last_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Hand-worked, and each statement adds up.

    January: nothing is over, so the minimum of 20.00 is due. February: 850,000 tokens less 500,000
    and the 100,000 left in January are 25.00, less 20 %, and 5 runs. March: nothing was left;
    400,000 tokens are 40.00, less 20 %, and 75 runs less 50 and the 10 granted are 15.00: 47.00,
    of which 15.00 were paid before.
    """
    runpy.run_path(str(EXAMPLES / "contract_terms.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert re.findall(r"^total +(\S+) USD$", printed, re.MULTILINE) == ["20.00", "25.00", "32.00"]
    assert re.findall(r"^  (\w.*\S) {2,}(\S+)$", printed, re.MULTILINE) == [
        ("included", "500,000"),
        ("carried over from 2024-01-01", "100,000"),
        ("included", "50"),
        ("granted by welcome", "10"),
    ]
    assert re.findall(r"((?:\S+ )?\S+): (\S+) USD -> (\S+) USD", printed) == [
        ("minimum", "0.00", "20.00"),
        ("discount launch", "25.00", "20.00"),
        ("discount launch", "40.00", "32.00"),
        ("credit top-up", "47.00", "32.00"),
    ]
