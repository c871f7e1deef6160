"""A test of this folder that takes `repository` runs over each adapter."""

from collections.abc import Iterator

import pytest

from overages.repository import Repository

from .adapters import ADAPTERS


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.__name__)
def repository(request: pytest.FixtureRequest) -> Iterator[Repository]:
    """Yield a new repository, and close it."""
    adapter = request.param()
    made = adapter.make()
    yield made
    adapter.close(made)
