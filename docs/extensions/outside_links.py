"""Links of pages to files that are in the repository, but not in the site.

In the repository they lead to the file; in the site, the text is followed by the file's path.
"""

import re
from pathlib import Path
from typing import Final

from sphinx.application import Sphinx

DOCS: Final = Path(__file__).parents[1].resolve()
LINK: Final = re.compile(r"\[([^\]]*)\]\((\.\.?/[^)#\s]+)\)")


def name_files_outside(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put paths in place of a page's links that lead out of the site."""
    del app

    def named(link: re.Match[str]) -> str:
        target = (DOCS / docname).parent.joinpath(link[2]).resolve()
        if target.is_relative_to(DOCS) or not target.exists():
            return link[0]
        return f"{link[1]} (`{target.relative_to(DOCS.parent)}`)"

    source[0] = LINK.sub(named, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is here with Sphinx."""
    app.connect("source-read", name_files_outside)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
