"""Values as JSON lines."""

import json

from overages import Allowance, Period, PerUnit, Plan, Statement, Usage, calculate
from overages.codec import decode
from overages.exports.json_lines import json_lines

PLAN = Plan("p", "USD", {"calls": Allowance("1.5", PerUnit("0.0002", per=3))})
STATEMENTS = [
    calculate(PLAN, Usage(org_id, Period.month(2024, 2), {"calls": 2_000_000}))
    for org_id in ("ö", "b")
]


def test_each_value_is_a_line_as_the_codec_writes_it() -> None:
    lines = list(json_lines(STATEMENTS))
    assert [decode(line, Statement) for line in lines] == STATEMENTS
    line = json.loads(lines[0])["lines"][0]
    assert (line["used"], line["limit"], line["quantity"]) == ("2000000", "1.5", "1999998.5")
    assert line["cost"]["amount"] == "133.33"
    assert '"ö"' in lines[0]


def test_nothing_is_no_line() -> None:
    assert list(json_lines([])) == []
