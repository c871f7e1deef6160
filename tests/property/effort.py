"""How many examples a test takes: by default a few, and with ``-m thorough`` what finds more.

@few      # it runs once for each kind of value, and one example shows most of what there is
@many     # it is where most faults would be found
"""

import os
from typing import Final

from hypothesis import settings

THOROUGH: Final = os.environ.get("OVERAGES_THOROUGH") == "1"

few = settings(max_examples=80 if THOROUGH else 2)
many = settings(max_examples=800 if THOROUGH else 16)
