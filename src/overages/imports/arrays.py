"""Arrays of pyarrow, made of integers and texts.

pyarrow's own way to them imports pandas where it is installed, which takes as long as to read a
million rows.

    integers([5, 7]), integer(5), texts(["acme", "bolt"])
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

import pyarrow as pa

Array: TypeAlias = Any
"""An array, a chunked one or a scalar of pyarrow, which has no types."""


def integers(numbers: Iterable[int]) -> Array:
    """Return an array of integers of 64 bits.

    :raises OverflowError: if one is larger.
    """
    data = array("q", numbers)
    return pa.Array.from_buffers(pa.int64(), len(data), [None, pa.py_buffer(data.tobytes())])


def integer(number: int) -> Array:
    """Return an integer of 64 bits as a scalar."""
    return integers([number])[0]


def texts(values: Sequence[str]) -> Array:
    """Return an array of texts."""
    data = [value.encode() for value in values]
    offsets = array("i", accumulate(map(len, data), initial=0))
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(data))]
    return pa.Array.from_buffers(pa.string(), len(data), buffers)
