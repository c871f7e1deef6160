"""Run the notebooks from top to bottom, and keep what they show:

python -m tests.notebooks
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch

import nbclient
import nbformat
from traitlets.config import Config

NOTEBOOKS: Final = sorted((Path(__file__).parents[1] / "examples/notebooks").glob("*.ipynb"))
MARKUP: Final = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)


def read(path: Path) -> Any:
    """Return a notebook as it is kept."""
    return nbformat.read(path, as_version=4)


def run(path: Path) -> Any:
    """Return a notebook as it is after a run, without what differs from one run to the next."""
    book = read(path)
    with TemporaryDirectory() as folder:
        # Over sockets in a folder: another program may take a port that was free a moment ago.
        over = {"transport": "ipc", "ip": f"{folder}/kernel"}
        places = dict.fromkeys(("JUPYTER_RUNTIME_DIR", "IPYTHONDIR"), folder)
        with patch.dict(os.environ, places):
            nbclient.NotebookClient(
                book,
                config=Config({"KernelManager": over}),
                coalesce_streams=True,  # however slowly it is printed
                kernel_name="python3",
                record_timing=False,
                resources={"metadata": {"path": path.parent}},
                startup_timeout=600,
                timeout=None,
            ).execute()
    book.metadata.language_info = {"name": "python"}
    for cell in book.cells:
        # What libraries log is for who runs it: that a cache is made, the first time.
        cell["outputs"] = [out for out in cell.get("outputs", []) if out.get("name") != "stderr"]
        if cell.cell_type != "code":
            del cell["outputs"]
    return book


def shown(book: Any) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield what each output of a notebook shows: its cell, its formats, and its text by word.

    Markup and the pixels of pictures differ with the version of what makes them.
    """
    for cell in book.cells:
        for out in cell.get("outputs", []):
            data = out.get("data", {})
            kinds = ("image/svg+xml", "text/html", "text/plain")
            text = next((data[kind] for kind in kinds if kind in data), out.get("text", ""))
            yield cell.id, sorted(data), unescape(MARKUP.sub(" ", text)).split()


def main() -> None:
    for path in NOTEBOOKS:
        nbformat.write(run(path), path)


if __name__ == "__main__":
    main()
