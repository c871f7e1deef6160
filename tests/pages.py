"""Reading the HTML that values show of themselves in notebooks."""

import re


def rows_of(page: str) -> list[list[str]]:
    """Return the cells of a page's table, row by row, as they are written."""
    rows = re.findall(r"<tr>(.*?)</tr>", page)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in rows]


def caption_of(page: str) -> str:
    """Return the caption of a page's table, as it is written."""
    captions: list[str] = re.findall(r"<caption>(.*?)</caption>", page)
    return captions[0]
