"""A failure in one of several cases of a contract's test says in which."""

import pytest

from overages.testing.contract.base import named


def test_a_case_that_fails_is_named() -> None:
    with pytest.raises(AssertionError) as caught, named("org 1"):
        raise AssertionError
    assert caught.value.__notes__ == ["in the case of 'org 1'"]


def test_a_case_that_does_not_raise_is_named() -> None:
    with pytest.raises(pytest.fail.Exception) as caught, named(1), pytest.raises(KeyError):
        pass
    assert caught.value.__notes__ == ["in the case of 1"]


def test_a_case_that_holds_says_nothing() -> None:
    with named(1):
        assert True
