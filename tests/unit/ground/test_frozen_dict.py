"""A frozen dict reads as a dict does, and no operator or method changes it."""

import copy
import json
import pickle
from collections import ChainMap, OrderedDict, UserDict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from overages._ground.frozen_dict import FrozenDict

ITEMS = {"tokens": 5, "seats": 3}

CHANGES = {
    "__setitem__": ("tokens", 0),
    "__delitem__": ("tokens",),
    "__ior__": ({"tokens": 0},),
    "clear": (),
    "pop": ("tokens",),
    "popitem": (),
    "setdefault": ("runs", 0),
    "update": ({"tokens": 0},),
}


class Stranger:
    """Writes into whatever is handed to it by an operator."""

    def write(self, other: Any) -> bool:
        with pytest.raises(TypeError, match="can't be changed"):
            other["tokens"] = 0
        with pytest.raises(TypeError, match="can't be changed"):
            other |= {"tokens": 0}
        return True

    __eq__ = __ne__ = __ror__ = __contains__ = write
    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(("change", "arguments"), CHANGES.items())
def test_every_method_that_changes_a_dict_is_refused(change: str, arguments: Any) -> None:
    frozen = FrozenDict(ITEMS)
    with pytest.raises(TypeError, match="a FrozenDict can't be changed"):
        getattr(frozen, change)(*arguments)
    assert frozen == ITEMS


def test_a_dict_has_no_other_method_that_changes_it() -> None:
    reading = {"copy", "fromkeys", "__or__", "__ror__", "__class_getitem__"}
    own = set(vars(dict)) - set(dir(Mapping)) - set(dir(object)) - reading
    assert own == set(CHANGES)


def test_statements_that_change_a_dict_are_refused() -> None:
    frozen: Any = FrozenDict(ITEMS)
    with pytest.raises(TypeError, match="can't be changed"):
        frozen["tokens"] = 0
    with pytest.raises(TypeError, match="can't be changed"):
        del frozen["tokens"]
    with pytest.raises(TypeError, match="can't be changed"):
        frozen |= {"tokens": 0}
    with pytest.raises(AttributeError):
        frozen.tokens = 0
    assert frozen == ITEMS


def test_an_operator_of_a_stranger_gets_nothing_that_it_could_write_into() -> None:
    frozen: Any = FrozenDict(ITEMS)
    assert frozen == Stranger()
    assert frozen != Stranger()
    assert frozen in Stranger()
    with pytest.raises(TypeError, match="can't be changed"):
        ChainMap(frozen)["tokens"] = 0
    assert frozen | Stranger()
    assert frozen == ITEMS


@pytest.mark.parametrize("kind", [dict, OrderedDict, UserDict, MappingProxyType, FrozenDict])
def test_it_equals_any_mapping_of_the_same_items(kind: Any) -> None:
    assert FrozenDict(ITEMS) == kind(ITEMS)
    assert kind(ITEMS) == FrozenDict(ITEMS)
    assert FrozenDict(ITEMS) != kind({"tokens": 5})
    assert kind({"tokens": 5}) != FrozenDict(ITEMS)


def test_it_is_hashed_by_its_items_in_any_order() -> None:
    turned = FrozenDict(reversed(ITEMS.items()))
    assert list(turned) == ["seats", "tokens"]
    assert hash(turned) == hash(FrozenDict(ITEMS))
    assert len({turned, FrozenDict(ITEMS), FrozenDict({"tokens": 5})}) == 2


def test_a_mutable_value_makes_it_unhashable() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(FrozenDict({"tokens": []}))


def test_it_is_a_copy() -> None:
    source = dict(ITEMS)
    frozen = FrozenDict(source)
    source["tokens"] = 0
    assert frozen["tokens"] == 5


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_comes_back_from_a_pickle(protocol: int) -> None:
    again = pickle.loads(pickle.dumps(FrozenDict(ITEMS), protocol))
    assert type(again) is FrozenDict
    assert again == ITEMS


def test_copies_of_it_are_frozen_and_its_method_makes_a_dict() -> None:
    frozen = FrozenDict({"tokens": [5]})
    assert type(copy.copy(frozen)) is FrozenDict
    deep = copy.deepcopy(frozen)
    assert type(deep) is FrozenDict
    assert deep == frozen
    assert deep["tokens"] is not frozen["tokens"]
    assert type(frozen.copy()) is dict


def test_merging_makes_a_dict_on_either_side() -> None:
    frozen = FrozenDict(ITEMS)
    assert frozen | {"seats": 4} == {"tokens": 5, "seats": 4}
    assert {"seats": 4} | frozen == ITEMS
    assert {type(frozen | frozen), type({} | frozen), type(frozen | {})} == {dict}


def test_it_reads_as_a_dict_to_a_person_and_to_json() -> None:
    assert repr(FrozenDict(ITEMS)) == "{'tokens': 5, 'seats': 3}"
    assert json.dumps(FrozenDict(ITEMS)) == '{"tokens": 5, "seats": 3}'
