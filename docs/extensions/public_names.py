"""Public names in the site: their docstrings on two pages, and links to them from everywhere.

The first page has what ``overages`` exports, under the headings of the table of public names and
in its order; the second, what that table has from modules, and what the modules below offer. In
pages and docstrings alike, inline code that is a public name, a call or an attribute of one becomes
a link to its docstring.
"""

import builtins
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from types import FunctionType, ModuleType
from typing import ClassVar, Final

from docutils import nodes
from sphinx.addnodes import desc_signature, pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import overages

MODULES: Final = [
    "errors",
    "codec",
    "outbox",
    "adapters.base",
    "adapters.outbox",
    "adapters.sqlite",
    "exports.arrow",
    "exports.stripe",
    "exports.wire",
    "imports.arrow",
    "imports.monthly_fields",
    "testing.strategies",
    "testing.contract",
]
HELPERS: Final = {"check_org", "check_swap", "join_path"}  # of the library's own modules
API: Final = Path(__file__).parents[1] / "reference/api.md"
SECTION: Final = re.compile(r"^## (.*)\n((?:(?!## ).*\n)*)", re.MULTILINE)
ROW: Final = re.compile(r"^\| `(\w+)", re.MULTILINE)
HOME: Final = re.compile(r"^\| `(\w+)[^|]*` \| `(overages\.[\w.]+)` \|", re.MULTILINE)
ARGUMENTS: Final = {"draw"}  # of something else, too: links only where they are called
CODE: Final = re.compile(r"((?:\w+\.)*\w+)(?:\(.*\))?")


def public_names() -> Iterator[str]:
    """Yield the docstrings of what is imported from ``overages``, as the reference orders it."""
    for heading, section in SECTION.findall(API.read_text(encoding="utf-8")):
        names = [f"overages.{name}" for name in ROW.findall(section) if name in overages.__all__]
        if names:
            yield from _section(heading, names)


def public_modules() -> Iterator[str]:
    """Yield the docstrings of what is imported from modules of their own."""
    homes: dict[str, list[str]] = {}
    for name, home in HOME.findall(API.read_text(encoding="utf-8")):
        homes.setdefault(home, []).append(name)
    for home in MODULES:
        homes[f"overages.{home}"] = []  # all of it
    at_root = [getattr(overages, name) for name in overages.__all__]
    for home, names in homes.items():
        module = import_module(home)
        offered = names or getattr(module, "__all__", None) or _defined_in(module)
        own = [name for name in offered if getattr(module, name) not in at_root]
        summary = (module.__doc__ or home).partition("\n")[0].rstrip(".:")
        yield from _section(summary, [f"{home}.{name}" for name in own])


def _defined_in(module: ModuleType) -> list[str]:
    kinds = (type, FunctionType)
    things = {name: thing for name, thing in vars(module).items() if isinstance(thing, kinds)}
    own = {name for name, thing in things.items() if thing.__module__ == module.__name__}
    return [name for name in things if name in own - HELPERS and not name.startswith("_")]


def _section(heading: str, names: Iterable[str]) -> Iterator[str]:
    yield f"## {heading}\n"
    for name in names:
        thing = resolve_name(name)
        if isinstance(thing, ModuleType):
            continue  # which the second page has
        kind = "class" if isinstance(thing, type) else "function" if callable(thing) else "data"
        yield f"```{{eval-rst}}\n.. auto{kind}:: {name}\n```\n"


class Docstrings(SphinxDirective):
    """Puts docstrings in its place: ``names`` or ``modules``."""

    required_arguments = 1
    sources: ClassVar = {"names": public_names, "modules": public_modules}

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.sources[self.arguments[0]]())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class LinkNames(SphinxPostTransform):
    """Makes inline code that names something public a link to its docstring."""

    default_priority = 5
    formats: ClassVar[tuple[str, ...]] = ("html",)
    homes: ClassVar[dict[str, str]] = dict(HOME.findall(API.read_text(encoding="utf-8")))

    def run(self, **_: object) -> None:
        for code in list(self.document.findall(nodes.literal)):
            found = CODE.fullmatch(code.astext())
            if not found or found[0] in ARGUMENTS:
                continue
            if not isinstance(code.parent, (nodes.reference, pending_xref)):
                code.replace_self(self._link(found[1], code) or code)

    def _link(self, name: str, code: nodes.literal) -> nodes.reference | None:
        objects = self.env.domains.python_domain.objects
        home = self.homes.get(name.partition(".")[0])
        for full in (f"overages.{name}", f"overages.errors.{name}", f"{home}.{name}", name):
            if full in objects:
                docname, node_id = objects[full].docname, objects[full].node_id
                page, builder = self.env.docname, self.app.builder
                return make_refnode(builder, page, docname, node_id, code.deepcopy(), full)
        return None


class TrimBlocks(SphinxPostTransform):
    """Leaves out the empty line that ends an example in its source, and would be drawn."""

    default_priority = 5
    formats: ClassVar[tuple[str, ...]] = ("html",)

    def run(self, **_: object) -> None:
        for block in self.document.findall(nodes.literal_block):
            if block.rawsource == block.astext():
                block.rawsource = block.rawsource.rstrip()
                block.children = [nodes.Text(block.rawsource)]


def anchor_at_home(app: Sphinx, doctree: nodes.document) -> None:
    """Let the pages of source lead back: they name what is public by the module that defines it."""
    del app
    for signature in doctree.findall(desc_signature):
        if signature.get("module") and signature.get("fullname"):
            thing = resolve_name(f"{signature['module']}:{signature['fullname']}")
            home = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"
            if home not in signature["ids"] and home.startswith("overages."):
                signature["ids"].append(home)


def leave_what_exists(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Show a type that a signature names as plain text if it has no entry here, but exists."""
    del app, env
    target = node["reftarget"]
    ours = (module for name, module in sys.modules.items() if name.startswith("overages"))
    if any(hasattr(module, target) for module in (builtins, *ours)):
        return content
    try:
        resolve_name(target)
    except (ImportError, AttributeError, ValueError):
        return None
    return content


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is here with Sphinx."""
    app.add_directive("docstrings", Docstrings)
    app.add_post_transform(LinkNames)
    app.add_post_transform(TrimBlocks)
    app.connect("missing-reference", leave_what_exists)
    app.connect("doctree-read", anchor_at_home)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
