"""How hard Hypothesis tries: a few examples of each law, or twenty times as many.

``-m thorough`` does the latter.
"""

import os

from hypothesis import HealthCheck, settings

MODEST = 8

for name, examples in [("modest", MODEST), ("thorough", 20 * MODEST)]:
    settings.register_profile(
        name, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("thorough" if os.environ.get("OVERAGES_THOROUGH") == "1" else "modest")
