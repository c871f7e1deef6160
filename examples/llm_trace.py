"""Turn a trace of requests to a language-model service into usage events.

    python examples/llm_trace.py trace.csv > usage.csv

The trace has a row for each request: TIMESTAMP (UTC, without a zone), ContextTokens,
GeneratedTokens; so it is in the Azure Public Dataset (AzureLLMInferenceTrace, CC-BY; Patel et al.,
"Splitwise", ISCA 2024). Requests are dealt over a hundred orgs in turn, and each gives two events.
Without a file it shows what it does with two requests.
"""

import csv
import sys
from collections.abc import Iterable, Iterator

METRICS = {"context_tokens": "ContextTokens", "generated_tokens": "GeneratedTokens"}
SAMPLE = [
    "TIMESTAMP,ContextTokens,GeneratedTokens",
    "2023-11-16 18:17:03.9799600,4808,10",
    "2023-11-16 18:17:04.0319600,3180,8",
]


def events(trace: Iterable[str], orgs: int = 100) -> Iterator[list[str]]:
    """Yield rows of usage events, the names of the columns first."""
    yield ["event_id", "org_id", "metric", "quantity", "timestamp"]
    for number, request in enumerate(csv.DictReader(trace)):
        org = f"org-{number % orgs:03d}"
        for metric, column in METRICS.items():
            event_id = f"{number}-{metric}"
            yield [event_id, org, metric, request[column], f"{request['TIMESTAMP']}Z"]


def main() -> None:
    """Write the events of the file that is named, or of the sample, to standard output."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if len(sys.argv) == 1:
        writer.writerows(events(SAMPLE))
    else:
        with open(sys.argv[1], encoding="utf-8", newline="") as trace:
            writer.writerows(events(trace))


if __name__ == "__main__":
    main()
