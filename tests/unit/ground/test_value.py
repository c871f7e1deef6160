"""Value classes: a constructor whose body is filled in, all faults together, a readable repr."""

import copy
import inspect
import pickle
import traceback
from collections.abc import Iterable, Mapping

import attrs
import pytest

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_name
from overages._ground.parsing import Problems, each, instance_of, optional
from overages._ground.value import derived, evolve, non_defaults, term, value
from overages.amounts.exact import Quantity, QuantityLike, parse_non_negative, parse_quantity
from overages.errors import InvalidType, InvalidValue, InvalidValues

_parse_weights = by_name(parse_quantity, "names to weights", of="name")


@value
class Span:
    """From one quantity to another."""

    low: Quantity = term(parse_quantity)
    high: Quantity | None = term(optional(parse_quantity))
    notes: tuple[str, ...] = term(each(instance_of(str)), repr=False)
    length: Quantity | None = derived()

    def __init__(
        self, low: QuantityLike, high: QuantityLike | None = None, *, notes: Iterable[str] = ()
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if "?" in self.notes:
            problems.add(InvalidValue("notes", self.notes, "must be sure"))
        if self.high is not None and self.high < self.low:
            problems.add(InvalidValue("high", self.high, "must not be below low"))

    def _complete(self) -> None:
        length = None if self.high is None else int(self.high) - int(self.low)
        object.__setattr__(self, "length", length)


@value
class Bounds:
    """From a quantity that isn't 1 to one that isn't 7, with weights above zero."""

    low: Quantity = term(parse_quantity)
    high: Quantity = term(parse_quantity)
    weights: Mapping[str, Quantity] = term(_parse_weights)

    def __init__(
        self,
        low: QuantityLike,
        high: QuantityLike,
        *,
        weights: Mapping[str, QuantityLike] = FrozenDict(),
    ) -> None: ...

    def _check_low(self, problems: Problems) -> None:
        if self.low == 1:
            problems.add(InvalidValue("low", self.low, "must not be 1"))

    def _check_high(self, problems: Problems) -> None:
        if self.high == 7:
            problems.add(InvalidValue("high", self.high, "must not be 7"))

    def _check(self, problems: Problems) -> None:
        if not all(self.weights.values()):
            problems.add(InvalidValue("weights", self.weights, "must be above zero"))


@value
class Listed:
    """Weights whose order counts."""

    weights: Mapping[str, Quantity] = term(_parse_weights, eq=lambda weights: [*weights.items()])

    def __init__(self, weights: Mapping[str, QuantityLike]) -> None: ...


@value
class Plain:
    """One quantity."""

    units: Quantity = term(parse_non_negative)

    def __init__(self, units: QuantityLike = 1) -> None: ...


@value
class Brief:
    """One quantity, shown without its name."""

    units: Quantity = term(parse_non_negative)

    def __init__(self, units: QuantityLike) -> None: ...

    def __repr__(self) -> str:
        return f"Brief({self.units!r})"


@value
class Purchase:
    """Units that were bought, and those of them that can be used."""

    bought: Quantity = term(parse_quantity)
    usable: Quantity = term(optional(parse_quantity), otherwise=lambda made: made.bought)
    notes: tuple[str, ...] = term(each(instance_of(str)))

    def __init__(
        self, bought: QuantityLike, usable: QuantityLike | None = None, notes: Iterable[str] = ()
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.usable == 13:
            problems.add(InvalidValue("usable", self.usable, "must be lucky"))


def pickled(span: Span) -> Span:
    twin: Span = pickle.loads(pickle.dumps(span))
    return twin


def test_what_is_passed_is_kept_as_its_parser_makes_it() -> None:
    span = Span("1.0", 5, notes=iter(["a"]))
    assert (span.low, span.high, span.notes, span.length) == (1, 5, ("a",), 4)
    assert Span(1).high is None


def test_the_signature_is_the_written_one() -> None:
    assert str(inspect.signature(Span)) == (
        "(low: int | decimal.Decimal | str, high: int | decimal.Decimal | str | None = None, *,"
        " notes: collections.abc.Iterable[str] = ()) -> None"
    )


def test_a_single_fault_is_raised_as_it_is_with_a_short_traceback() -> None:
    with pytest.raises(InvalidType, match=r"^low: must be an int") as caught:
        Span(0.5)  # type: ignore[arg-type]
    assert caught.value.__suppress_context__
    assert len(traceback.extract_tb(caught.tb)) == 2  # the caller's line, and the constructor's


def test_a_fault_of_a_class_without_checks_is_told_alone() -> None:
    with pytest.raises(InvalidValue, match=r"^units: must not be negative, got -1$"):
        Plain(-1)


def test_all_faults_are_told_together_in_the_order_of_the_fields() -> None:
    with pytest.raises(InvalidValues) as caught:
        Span("x", "y", notes=iter(["a", 1, 2]))  # type: ignore[arg-type]
    fields = [error.field for error in caught.value.errors]
    assert fields == ["low", "high", "notes[1]", "notes[2]"]


def test_what_was_read_from_an_iterator_is_not_read_again() -> None:
    with pytest.raises(InvalidValues) as caught:
        Span(1, "x", notes=iter([1]))  # type: ignore[arg-type]
    assert [error.field for error in caught.value.errors] == ["high", "notes[0]"]


def test_faults_across_fields_are_told_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        Span(5, 1, notes=["?"])
    assert [error.field for error in caught.value.errors] == ["notes", "high"]


def test_faults_across_fields_join_those_of_fields_as_far_as_these_allow() -> None:
    with pytest.raises(InvalidValues) as caught:
        Span("x", 1, notes=["?"])
    assert [error.field for error in caught.value.errors] == ["low", "notes"]


def test_a_check_that_needs_a_refused_field_keeps_no_other_check_from_its_faults() -> None:
    with pytest.raises(InvalidValues) as caught:
        Bounds("x", 7, weights={"b": 0})
    assert [error.field for error in caught.value.errors] == ["low", "high", "weights"]
    with pytest.raises(InvalidValues) as caught:
        Bounds(1, 7, weights={"b": 0})
    assert [error.field for error in caught.value.errors] == ["low", "high", "weights"]


def test_a_mapping_is_shown_in_one_order_however_it_was_written() -> None:
    one, other = Bounds(8, 9, weights={"b": 1, "a": 2}), Bounds(8, 9, weights={"a": 2, "b": 1})
    assert one == other
    assert repr(one) == repr(other) == "Bounds(low=8, high=9, weights={'a': 2, 'b': 1})"


def test_a_mapping_whose_order_counts_is_shown_as_it_is() -> None:
    assert repr(Listed({"b": 1, "a": 2})) == "Listed(weights={'b': 1, 'a': 2})"


def test_a_value_can_not_be_changed_and_is_compared_by_its_terms() -> None:
    span = Span(1, 5)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        span.low = 2  # type: ignore[misc]
    assert span == Span("1.00", "5")
    assert hash(span) == hash(Span("1.00", "5"))
    assert span != Span(1, 6)
    assert not hasattr(span, "__dict__")


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_a_value_survives_copying_and_pickling(twin: object) -> None:
    made = twin(Span(1, 5))  # type: ignore[operator]
    assert made == Span(1, 5)
    assert made.length == 4


def test_the_repr_makes_the_value_again_and_leaves_defaults_out() -> None:
    assert repr(Plain()) == "Plain()"
    assert repr(Plain(2)) == "Plain(units=2)"
    assert repr(Span(1)) == "Span(low=1)"


def test_a_value_may_show_itself_in_its_own_way() -> None:
    assert repr(Brief(2)) == "Brief(2)"


def test_a_field_that_is_not_shown_is_no_default_all_the_same() -> None:
    assert repr(Span(1, notes=["a"])) == "Span(low=1)"
    assert non_defaults(Span(1, notes=["a"])) == {"low": 1, "notes": ("a",)}


def test_a_term_that_is_not_given_is_worked_out_of_the_others() -> None:
    assert Purchase(5).usable == 5
    assert Purchase(5) == Purchase(5, 5) != Purchase(5, 4)


def test_a_term_that_is_what_it_would_be_unless_given_is_left_out() -> None:
    assert repr(Purchase(5, 5)) == "Purchase(bought=5)"
    assert non_defaults(Purchase(5, 4)) == {"bought": 5, "usable": 4}


def test_a_term_that_is_worked_out_is_checked_with_the_others() -> None:
    with pytest.raises(InvalidValue, match=r"^usable: must be lucky, got 13$"):
        Purchase(13)
    with pytest.raises(InvalidType, match=r"^bought: must be an int"):
        Purchase(0.5)  # type: ignore[arg-type]


def test_faults_across_fields_are_told_of_worked_out_terms_beside_refused_ones() -> None:
    with pytest.raises(InvalidValues) as caught:
        Purchase(13, notes=[1])  # type: ignore[list-item]
    assert [error.field for error in caught.value.errors] == ["notes[0]", "usable"]
    with pytest.raises(InvalidType, match=r"^notes\[0\]: must be of type str, got 1$"):
        Purchase(13, 12, notes=[1])  # type: ignore[list-item]


def test_a_value_evolves_into_one_that_is_checked_as_well() -> None:
    assert evolve(Span(1, 5), high=7).length == 6
    with pytest.raises(InvalidValue, match=r"^high: must not be below low, got 0$"):
        evolve(Span(1, 5), high=0)


def test_a_signature_that_is_not_that_of_the_fields_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="Wrong: "):

        @value
        class Wrong:
            units: Quantity = term(parse_quantity)

            def __init__(self, quantity: QuantityLike) -> None: ...
