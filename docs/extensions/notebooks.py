"""Notebooks in the site, with what they showed when they were last run.

`{notebook}` with the path of a notebook, from the page, puts all of its cells and outputs there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

RAW: Final = '```{{raw}} html\n<div class="shown">{}</div>\n```'
PICTURE: Final = '<img alt="{}" src="data:image/png;base64,{}">'


class Notebook(SphinxDirective):
    """Puts a notebook in its place, headings and all."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.doc2path(self.env.docname)).parent / self.arguments[0]
        self.env.note_dependency(str(path))
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n\n".join(block for cell in cells for block in blocks_of(cell))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def blocks_of(cell: dict[str, Any]) -> Iterator[str]:
    """Yield the Markdown of a cell and of its outputs."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source
        return
    yield f"```python\n{source}\n```"
    for output in cell["outputs"]:
        data = {kind: "".join(lines) for kind, lines in output.get("data", {}).items()}
        if "image/png" in data:
            picture = PICTURE.format(data["text/plain"].strip("<>"), data["image/png"].strip())
            yield RAW.format(picture)
        elif shown := data.get("image/svg+xml") or data.get("text/html"):
            yield RAW.format(shown)
        else:
            yield f"```text\n{data.get('text/plain') or ''.join(output['text'])}\n```"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is here with Sphinx."""
    app.add_directive("notebook", Notebook)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
