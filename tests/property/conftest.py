"""How hard Hypothesis tries: some examples of each law, or with ``-m thorough`` many more.

Each run draws other examples, so that what one run misses is for the next to find.
"""

import os

from hypothesis import HealthCheck, settings

for name, examples in [("modest", 6), ("thorough", 160)]:
    settings.register_profile(
        name, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("thorough" if os.environ.get("OVERAGES_THOROUGH") == "1" else "modest")
