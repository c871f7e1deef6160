"""Rules in words."""

from overages import Money
from overages.terms.wording import rule_terms


def test_rules_are_listed_by_name() -> None:
    assert rule_terms({}) == ""
    rules = {"included_per": "seats", "minimum": Money(100, "USD"), "increment": 10}
    assert rule_terms(rules) == "included per: seats, minimum: 1.00 USD, increment: 10"
