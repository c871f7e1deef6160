"""``overages schema``: the schema of a file of plans, for editors; or the JSON of every value."""

from __future__ import annotations

import argparse
import json
from typing import Final

from overages.codec import json_schema
from overages.imports.plans import json_schema as plans_schema

HELP: Final = "print the JSON Schema of a file of plans, or of values as JSON"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "format",
        nargs="?",
        choices=["plans", "values"],
        default="plans",
        help="a TOML file of plans, or the JSON of overages.codec (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int | None:
    """Print the schema."""
    schema = plans_schema() if args.format == "plans" else json_schema()
    print(json.dumps(schema, indent=2, ensure_ascii=False))
    return None
