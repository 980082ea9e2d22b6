"""The contract is held against the demo here, and against the real server in tests/live."""

import pytest

from oh_tui.demo import make_demo

from .fixtures import ServerUnderTest, api, run, wire

__all__ = ["api", "run", "wire"]


@pytest.fixture
def server() -> ServerUnderTest:
    demo = make_demo()
    return ServerUnderTest(demo.base_url, demo.app)
