"""One text for a value: a text that was read must be the one that would be written.

check_canonical({"used": "1.0"}, {"used": "1"}, (), problems)     # used: must be "1", got '1.0'
"""

from __future__ import annotations

from json import dumps

from overages._ground.parsing import Problems
from overages.errors import InvalidValue, Path


def check_canonical(tree: object, canonical: object, path: Path, problems: Problems) -> None:
    """Find where a tree of JSON is another than the one that its value is written as."""
    if tree == canonical:
        return
    if isinstance(tree, dict) and isinstance(canonical, dict):
        for key in tree.keys() - canonical.keys():
            problem = "must be left out where it says nothing new"
            problems.add(InvalidValue((*path, key), tree[key], problem))
        for key in canonical.keys() - tree.keys():
            problems.add(InvalidValue((*path, key), None, f"must be {_text(canonical[key])}"))
        for key in sorted(tree.keys() & canonical.keys()):
            check_canonical(tree[key], canonical[key], (*path, key), problems)
    elif isinstance(tree, list) and isinstance(canonical, list) and len(tree) == len(canonical):
        if sorted(map(_text, tree)) == sorted(map(_text, canonical)):
            problems.add(InvalidValue(path, _text(tree), f"must be sorted: {_text(canonical)}"))
            return
        for i, (item, other) in enumerate(zip(tree, canonical, strict=True)):
            check_canonical(item, other, (*path, i), problems)
    else:
        problems.add(InvalidValue(path, tree, f"must be {_text(canonical)}"))


def _text(tree: object) -> str:
    return dumps(tree, ensure_ascii=False, sort_keys=True)
