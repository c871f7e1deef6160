"""localstripe and the proxy before it, once for all tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .proxy import Proxy
from .world import NOW, World

SERVER = Path(__file__).parent / "localstripe_server.py"


@pytest.fixture(scope="session")
def running_proxy() -> Iterator[Proxy]:
    child = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        port = int(child.stdout.readline())
        with Proxy(port, NOW).running() as proxy:
            yield proxy
    finally:
        child.terminate()
        child.wait()
        child.stdout.close()


@pytest.fixture
def world(running_proxy: Proxy) -> Iterator[World]:
    running_proxy.reset(NOW)
    made = World(running_proxy)
    yield made
    made.close()
