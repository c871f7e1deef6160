"""Decimals of pyarrow, made of integers at a declared scale.

decimals(integers([1234]), 2, pa.decimal128(38, 12))      # 12.34, of twelve decimals
"""

from __future__ import annotations

import pyarrow as pa

from overages.imports.arrays import Array


def decimals(numbers: Array, scale: int, kind: pa.Decimal128Type) -> Array:
    """Return integers that count so many decimals of a unit as decimals of a type with more.

    Nothing is divided: integers become decimals of a scale that is smaller by theirs, and the same
    digits are then read at that of the type.

    :raises pa.ArrowInvalid: if the type can't hold one.
    """
    digits = numbers.cast(pa.decimal128(kind.precision, kind.scale - scale))
    return pa.Array.from_buffers(kind, len(digits), digits.buffers(), digits.null_count)
