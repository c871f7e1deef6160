"""What rounds by the ambient decimal context: mypy reads this file with our plugin, nothing runs.

An ignore that nothing needs is an error, so an operation that becomes accepted fails.
"""

from decimal import Decimal

from overages.amounts.exact import Quantity


def rounded_by_a_context(exact: Decimal, quantity: Quantity, quantities: list[Quantity]) -> None:
    """Use what rounds by the ambient decimal context, of which `exact.py` tells mypy."""
    assert -quantity  # type: ignore[rounds]
    assert +quantity  # type: ignore[rounds]
    exact + 1  # type: ignore[rounds]
    1 + exact  # type: ignore[operator]
    quantity + 1  # type: ignore[operator, rounds]
    below: Quantity = 1 - quantity  # type: ignore[assignment]
    quantities[0] *= 2  # type: ignore[operator, rounds]
    exact / below  # type: ignore[operator, rounds]
    exact // 2  # type: ignore[rounds]
    exact % 2  # type: ignore[rounds]
    exact**2  # type: ignore[rounds]
    abs(quantity)  # type: ignore[rounds]
    round(exact)  # type: ignore[rounds]
    divmod(exact, 2)  # type: ignore[rounds]
    sum(quantities)  # type: ignore[arg-type, rounds]
    sum(exact for _ in quantities)  # type: ignore[misc]
    exact.normalize()  # type: ignore[rounds]
    exact.quantize(exact)  # type: ignore[rounds]
