"""Lines as recording keeps them: those that are over or cost something, and all adjustments."""

from decimal import Decimal
from fractions import Fraction

from tests.settled import DOLLAR, JAN

from overages import Allowance, Discount, Graduated, PerUnit, Plan, Tier, Usage, calculate
from overages.statements.recordable_line import recordable_lines

FEE = Graduated([Tier(None, price=1, flat="0.001")], flat_at_zero=True)


def test_lines_are_kept_that_are_over_or_cost_something_and_all_adjustments() -> None:
    plan = Plan(
        "p",
        "USD",
        {
            "within": Allowance(10, DOLLAR),
            "over": Allowance(10, PerUnit("0.125")),
            "gratis": Allowance(0, PerUnit(0)),
            "fee": Allowance(5, FEE),
        },
        discounts=[Discount("half", percent=50)],
    )
    used = {"within": 10, "over": 11, "gratis": 3, "fee": 5}
    statement = calculate(plan, Usage("org-1", JAN, used))
    kept = list(recordable_lines(statement.rows, statement.adjustments))
    assert [(metric, line, quantity, minor) for metric, line, quantity, _, minor, _ in kept] == [
        ("over", "overage", 1, 13),
        ("gratis", "overage", 3, 0),
        ("fee", "overage", 0, 0),  # less than a minor unit
        (None, "discount:half", 0, -6),
    ]
    assert Fraction(*kept[0][3]) == Fraction(1, 8)
    assert kept == list(statement.recordable_lines())


def test_a_line_of_a_part_is_named_by_its_start() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(0, DOLLAR)})
    (row,) = calculate(plan, Usage("org-1", JAN, {"runs": 1})).rows
    (line,) = recordable_lines([(*row[:7], JAN)], [])
    assert line == ("runs", "overage:2024-01-01T00:00:00Z", 1, (100, 100), 100, Decimal(1))
