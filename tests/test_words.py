"""Code and docs have the nouns of the domain, not words that could stand for anything."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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


@cache
def nodes(module: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(module.read_text("utf-8"))))


def docstrings(module: Path) -> Iterator[str]:
    """Yield the docstrings of a module, and the texts below its constants and attributes."""
    for node in nodes(module):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text


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


@pytest.mark.parametrize("module", MODULES, ids=where)
def test_a_docstring_begins_with_a_noun_or_says_which_one_is_returned(module: Path) -> None:
    empty = [text.strip().splitlines()[0] for text in docstrings(module) if begins_empty(text)]
    assert empty == []


def begins_empty(docstring: str) -> bool:
    return EMPTY_BEGINNING.match(docstring.strip()) is not None


@pytest.mark.parametrize("module", MODULES, ids=where)
def test_no_name_could_stand_for_anything(module: Path) -> None:
    names = {name for node in nodes(module) for name in bound_names(node)}
    assert sorted(name for name in names if name.strip("_").lower() in EMPTY_NAMES) == []


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
    docstring = next(docstrings(path))
    assert re.match(rf'Law {number}: .*\.\n\n"[A-Z][^"]*\."\n', docstring)


def test_the_glossary_is_in_order() -> None:
    assert len(WORDS) > 40
    assert sorted(set(WORDS)) == WORDS


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_the_glossary_is_one_of_the_code(word: str) -> None:
    pattern = re.compile(word.replace(" ", r"[ _\n]+").replace("-", "[-_]"), re.IGNORECASE)
    assert any(pattern.search(module.read_text("utf-8")) for module in MODULES)
