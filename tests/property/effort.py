"""How many examples a test takes where the profile's number doesn't suit it.

@few      # it runs once for each kind of value, and one example shows most of what there is
@many     # it is where most faults would be found
"""

from hypothesis import settings

_usual = settings().max_examples

few = settings(max_examples=_usual // 2)
many = settings(max_examples=_usual * 5)
