"""How hard Hypothesis tries: some examples of each law, or with ``-m thorough`` many more.

Each run draws other examples, so that what one run misses is for the next to find.
"""

import pytest
from hypothesis import HealthCheck, settings

for name, examples in [("modest", 6), ("thorough", 160)]:
    settings.register_profile(
        name, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


def pytest_configure(config: pytest.Config) -> None:
    # Where this folder is named on the command line, this comes before what tests/conftest.py does.
    settings.load_profile("thorough" if config.option.markexpr == "thorough" else "modest")
