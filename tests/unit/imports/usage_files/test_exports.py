"""Exports in the columns that providers of models and gateways have, made up."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from overages import Usage, UsageEvent, meter
from overages.errors import OveragesError
from overages.imports.events import read_events
from overages.imports.usage_files.layout import UsageLayout

AT = datetime(2024, 2, 1, 12, tzinfo=UTC)


def events(text: str, layout: UsageLayout) -> list[UsageEvent]:
    read = [event for _, event in read_events(text.splitlines(), layout)]
    assert not [event for event in read if isinstance(event, OveragesError)]
    return read  # type: ignore[return-value]


def faults(text: str, layout: UsageLayout) -> list[tuple[int, str]]:
    read = list(read_events(text.splitlines(), layout))
    return [
        (line, str(part))
        for line, error in read
        if isinstance(error, OveragesError)
        for part in error.errors
    ]


# As an organisation's usage is exported by buckets of time: wide, in epoch seconds.
BUCKETS = """\
start_time,end_time,project_id,model,num_model_requests,n_context_tokens_total,n_generated_tokens_total
1706788800,1706792400,proj-a,large,12,48080,1200
1706788800,1706792400,proj-b,small,3,9540,
1706792400,1706796000,proj-a,large,,,
"""
BY_BUCKET = UsageLayout(
    columns={"org_id": "project_id", "timestamp": "start_time"},
    metrics={
        "tokens_in": "n_context_tokens_total",
        "tokens_out": "n_generated_tokens_total",
        "requests": "num_model_requests",
    },
    dimensions={"model": "model"},
    timestamp="epoch_seconds",
    extra="ignore",
)


def test_buckets_have_a_column_for_each_metric() -> None:
    large, small = {"model": "large"}, {"model": "small"}
    assert events(BUCKETS, BY_BUCKET) == [
        UsageEvent("proj-a", "tokens_in", 48_080, AT, dimensions=large),
        UsageEvent("proj-a", "tokens_out", 1_200, AT, dimensions=large),
        UsageEvent("proj-a", "requests", 12, AT, dimensions=large),
        UsageEvent("proj-b", "tokens_in", 9_540, AT, dimensions=small),
        UsageEvent("proj-b", "requests", 3, AT, dimensions=small),
    ]


def test_a_faulty_row_with_several_metrics_gives_one_error_and_no_event() -> None:
    text = BUCKETS.replace("48080", "48,080".replace(",", " ")).replace("1200", "many")
    read = list(read_events(text.splitlines(), BY_BUCKET))
    assert [line for line, _ in read] == [2, 3, 3]
    problem = "must be a plain decimal number such as 12.5, got"
    assert faults(text, BY_BUCKET) == [
        (2, f"n_context_tokens_total: {problem} '48 080'"),
        (2, f"n_generated_tokens_total: {problem} 'many'"),
    ]


# As a workspace's usage is exported by day: dates in UTC, a row for each model.
DAYS = """\
usage_date_utc,workspace,api_key,model_version,usage_input_tokens_no_cache,usage_input_tokens_cache_read,usage_output_tokens
2024-02-01,Acme Research,key-1,m-3,1200,0,310
2024-02-02,Acme Research,key-1,m-3,800,4000,95
2024-02-02,Default,key-2,m-4,15,0,7
"""
BY_DAY = UsageLayout(
    columns={"org_id": "workspace", "timestamp": "usage_date_utc"},
    metrics={
        "input_tokens": "usage_input_tokens_no_cache",
        "cached_tokens": "usage_input_tokens_cache_read",
        "output_tokens": "usage_output_tokens",
    },
    dimensions={"model": "model_version"},
    timezone="UTC",
    extra="ignore",
)


def test_days_are_midnights_of_the_layouts_timezone() -> None:
    assert events(DAYS, BY_DAY)[3] == UsageEvent(
        "Acme Research", "input_tokens", 800, datetime(2024, 2, 2, tzinfo=UTC),
        dimensions={"model": "m-3"},
    )  # fmt: skip
    assert [(usage.org_id, dict(usage.quantities)) for usage in meter(events(DAYS, BY_DAY))] == [
        ("Acme Research", {"input_tokens": 2_000, "cached_tokens": 4_000, "output_tokens": 405}),
        ("Default", {"input_tokens": 15, "cached_tokens": 0, "output_tokens": 7}),
    ]


def test_columns_that_a_layout_does_not_name_are_refused_unless_it_says_so() -> None:
    from overages._ground.value import evolve

    with pytest.raises(OveragesError, match=r"with extra = \"ignore\" .*, got 'api_key'$"):
        list(read_events(DAYS.splitlines(), evolve(BY_DAY, extra="refuse")))


# As a gateway's log of requests is exported: an id for each, times without a zone, exact spend.
REQUESTS = """\
request_id,call_type,team_id,model,prompt_tokens,completion_tokens,spend,startTime,endTime
chatcmpl-1,acompletion,team-1,gpt-small,4808,10,0.00072,2024-02-01 12:00:00.250000,
chatcmpl-2,acompletion,team-2,gpt-large,3180,8,1.5e-07,2024-02-01 12:00:02,
"""
BY_REQUEST = UsageLayout(
    columns={"event_id": "request_id", "org_id": "team_id", "timestamp": "startTime"},
    metrics={"prompt_tokens": "prompt_tokens", "completion_tokens": "completion_tokens"},
    dimensions={"model": "model"},
    timezone="UTC",
    extra="ignore",
)


def test_requests_give_each_metric_an_id_of_its_own() -> None:
    at = AT.replace(microsecond=250_000)
    small = {"model": "gpt-small"}
    read = events(REQUESTS, BY_REQUEST)
    assert read[:2] == [
        UsageEvent("team-1", "prompt_tokens", 4_808, at, "chatcmpl-1/prompt_tokens", small),
        UsageEvent("team-1", "completion_tokens", 10, at, "chatcmpl-1/completion_tokens", small),
    ]
    assert meter([*read, *read]) == meter(read)  # the same file again


def test_an_id_that_is_too_long_with_its_metric_is_told_once() -> None:
    long = "x" * 250
    text = REQUESTS.replace("chatcmpl-1,", f"{long},").replace("chatcmpl-2,", " y,")
    assert faults(text, BY_REQUEST) == [
        (2, "request_id: must have at most 255 bytes, got '" + long[:76] + "..."),
        (3, "request_id: must not have a space at an end, or two in a row, got ' y'"),
    ]


def test_a_formulas_apostrophe_is_taken_off_an_id_once() -> None:
    text = REQUESTS.replace("chatcmpl-1,", "''=1,")
    assert events(text, BY_REQUEST)[0].id == "'=1/prompt_tokens"


def test_a_row_for_each_request_counts_as_many_as_the_layout_says() -> None:
    layout = UsageLayout(
        columns={"event_id": "request_id", "timestamp": "startTime"},
        org_id="acme",
        metric="requests",
        quantity=1,
        timezone="Europe/Paris",
        extra="ignore",
    )
    at = AT.replace(hour=11, microsecond=250_000)
    assert events(REQUESTS, layout)[0] == UsageEvent("acme", "requests", 1, at, "chatcmpl-1")


# As the trace of a model's service has them: https://github.com/Azure/AzurePublicDataset
TRACE = """\
TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:17:03.9799600,4808,10
2023-11-16 18:17:04.0319600,3180,8
2023-11-16 18:17:04.0781790,110,27
"""


def test_a_trace_has_neither_orgs_nor_ids() -> None:
    layout = UsageLayout(
        columns={"timestamp": "TIMESTAMP"},
        org_id="code",
        metrics={"context_tokens": "ContextTokens", "generated_tokens": "GeneratedTokens"},
        timezone="UTC",
    )
    (usage,) = meter(events(TRACE, layout))
    assert usage.quantities == {"context_tokens": 8_098, "generated_tokens": 45}
    assert events(TRACE, layout)[0].at.microsecond == 979_960


@pytest.mark.parametrize("times", [1, 400])
def test_dimensions_are_those_of_their_row_in_a_batch_of_any_size(times: int) -> None:
    header = "org_id,metric,quantity,timestamp,dimension.model,dimension.user"
    rows = [f"a,b,1,2024-02-01T12:00:00Z,{m},{u}" for m in ("x", "") for u in ("", "é", "u")]
    layout: Any = UsageLayout()
    counts = Counter(
        event.dimensions for event in events("\n".join([header, *rows * times]), layout)
    )
    pairs = [({"model": m} if m else {}) | ({"user": u} if u else {})
             for m in ("x", "") for u in ("", "é", "u")]  # fmt: skip
    assert sorted(map(str, counts)) == sorted(map(str, pairs))
    assert set(counts.values()) == {times}


def test_usage_of_a_file_is_that_of_its_events() -> None:
    (usage,) = meter(events("org_id,metric,quantity,timestamp\n"
                            "a,b,0.1,2024-02-01T12:00:00Z\na,b,+2,2024-02-01T12:00:00Z",
                            UsageLayout()))  # fmt: skip
    assert usage == Usage("a", usage.period, {"b": "2.1"})
