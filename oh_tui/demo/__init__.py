"""The demo: an OpenHands app server and its agent servers, simulated in this process."""

from oh_tui.demo.demo import Demo, make_demo, shared_id

__all__ = ["Demo", "make_demo", "shared_id"]
