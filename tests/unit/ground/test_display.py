"""Tables of text and of HTML."""

import pytest

from overages._ground.display import html_table, text_table

ROWS = [["metric", "used"], ["tokens", "750,000"], ["a", ""]]


def test_columns_are_as_wide_as_their_widest_cell_and_two_spaces_apart() -> None:
    assert text_table(ROWS, "lr") == "metric     used\ntokens  750,000\na"


def test_a_row_has_no_spaces_at_its_end() -> None:
    assert text_table([["a", "long"], ["b", "c"]], "ll") == "a  long\nb  c"


def test_a_table_that_is_too_wide_is_a_list_of_its_rows() -> None:
    rows = [["metric", "used", "price"], ["tokens", "750,000", "by tier:"], ["", "", "up to 9: 3"]]
    assert text_table(rows, "lrl", width=27) == text_table(rows, "lrl")
    assert text_table(rows, "lrl", width=26) == (
        "tokens\n  used    750,000\n  price   by tier:\n  price   up to 9: 3"
    )


@pytest.mark.parametrize("rows", [[["a", "b"], ["c"]], [["a"], ["b"]]])
def test_rows_and_alignment_have_the_same_number_of_columns(rows: list[list[str]]) -> None:
    with pytest.raises(ValueError, match=r"zip\(\)"):
        text_table(rows, "lr")
    with pytest.raises(ValueError, match=r"zip\(\)"):
        html_table(rows, "lr", "Overage")


def test_the_first_row_is_the_head_of_an_html_table() -> None:
    assert html_table(ROWS[:2], "lr", "Overage") == (
        "<table>\n"
        "<caption>Overage</caption>\n"
        '<thead><tr><th style="text-align: left">metric</th>'
        '<th style="text-align: right; white-space: nowrap">used</th></tr></thead>\n'
        "<tbody>\n"
        '<tr><td style="text-align: left">tokens</td>'
        '<td style="text-align: right; white-space: nowrap">750,000</td></tr>\n'
        "</tbody>\n"
        "</table>"
    )


def test_every_text_of_an_html_table_is_escaped() -> None:
    page = html_table([["<th>"], ["a & \"b\" 'c'"]], "l", "<script>alert(1)</script>")
    assert "<caption>&lt;script&gt;alert(1)&lt;/script&gt;</caption>" in page
    assert ">&lt;th&gt;</th>" in page
    assert ">a &amp; &quot;b&quot; &#x27;c&#x27;</td>" in page
