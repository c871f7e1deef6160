"""Code and docs have the nouns of the domain, not words that could stand for anything."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import overages

PACKAGE = Path(overages.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = Path(__file__).parent
LONGEST_TEST_NAME = 80
TEST_NAME = re.compile(r"^ *def (test_\w+)", re.MULTILINE)
GLOSSARY = (TESTS.parent / "docs/reference/glossary.md").read_text("utf-8")
WORDS = re.findall(r"^\| ([a-z -]+?) \| (?!meaning)", GLOSSARY, re.M)
EMPTY_NAMES = {
    "everything", "found", "given", "it", "kept", "known", "none", "one", "said", "something",
    "stuff", "there", "thing", "things", "this", "usual", "what", "when", "which", "whole",
}  # fmt: skip
EMPTY_BEGINNING = re.compile(
    r"(?:Return|Yield|Give|Say|List|Tell) (?:what|how(?! many| much))\b"
    r"|(?:What|How|Return whether)\b"
)


class Words(NamedTuple):
    """Docstrings of a module, texts below its constants and attributes, and names that it binds."""

    docstrings: list[str]
    names: set[str]


@cache
def words_in(module: Path) -> Words:
    found = Words([], set())
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        found.names.update(bound_names(node))
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                found.docstrings.append(text)
    return found


def docstrings(module: Path) -> list[str]:
    return words_in(module).docstrings


def bound_names(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds: of variables, parameters, functions, classes."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.arg(arg=name) | ast.ClassDef(name=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.alias(asname=str(name)):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name


def where(module: Path) -> str:
    return str(module.relative_to(PACKAGE))


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def test_docstrings_name_the_thing_and_seldom_say_what() -> None:
    words = [word for module in MODULES for text in docstrings(module) for word in words_of(text)]
    assert len(words) > 20_000
    per_thousand = 1000 * words.count("what") / len(words)
    assert per_thousand <= 1, [
        f"{where(module)}: {line.strip()}"
        for module in MODULES
        for text in docstrings(module)
        for line in text.splitlines()
        if "what" in words_of(line)
    ]


def test_a_docstring_begins_with_a_noun_or_says_which_one_is_returned() -> None:
    empty = [
        f"{where(module)}: {text.strip().splitlines()[0]}"
        for module in MODULES
        for text in docstrings(module)
        if begins_empty(text)
    ]
    assert empty == []


def begins_empty(docstring: str) -> bool:
    return EMPTY_BEGINNING.match(docstring.strip()) is not None


def test_no_name_could_stand_for_anything() -> None:
    empty = [
        f"{where(module)}: {name}"
        for module in MODULES
        for name in sorted(words_in(module).names)
        if name.strip("_").lower() in EMPTY_NAMES
    ]
    assert empty == []


@pytest.mark.parametrize(
    "code",
    [
        "found = 1",
        "def f(given): ...",
        "def what(): ...",
        "class Thing: ...",
        "self.said = 1",
        "for _one in (): ...",
        "import a as there",
        "[0 for it in ()]",
        "(known := 1)",
    ],
)
def test_an_empty_name_is_seen_wherever_it_is_bound(code: str) -> None:
    names = [name for node in ast.walk(ast.parse(code)) for name in bound_names(node)]
    assert EMPTY_NAMES & {name.strip("_").lower() for name in names}


@pytest.mark.parametrize(
    "text",
    ["Return what is due.", " How orgs are billed.", "What is left.", "Return whether it is."],
)
def test_an_empty_beginning_is_seen(text: str) -> None:
    assert begins_empty(text)


def test_the_name_of_a_test_is_read_at_a_glance() -> None:
    suites = [*MODULES, *TESTS.rglob("test_*.py")]
    names = {name for path in suites for name in TEST_NAME.findall(path.read_text("utf-8"))}
    assert len(names) > 1_000
    assert sorted(name for name in names if len(name) > LONGEST_TEST_NAME) == []


@pytest.mark.parametrize("path", sorted(TESTS.glob("property/test_law_*.py")), ids=lambda p: p.stem)
def test_a_module_of_a_law_quotes_it(path: Path) -> None:
    number = path.stem.split("_")[2]
    docstring = docstrings(path)[0]
    assert re.match(rf'Law {number}: .*\.\n\n"[A-Z][^"]*\."\n', docstring)


def test_the_glossary_is_in_order() -> None:
    assert len(WORDS) > 40
    assert sorted(set(WORDS)) == WORDS


def test_a_word_of_the_glossary_is_one_of_the_code() -> None:
    code = [module.read_text("utf-8") for module in MODULES]
    strange = [word for word in WORDS if not any(map(pattern_of(word).search, code))]
    assert strange == []


def pattern_of(word: str) -> re.Pattern[str]:
    return re.compile(word.replace(" ", r"[ _\n]+").replace("-", "[-_]"), re.IGNORECASE)
