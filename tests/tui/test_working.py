"""What becomes of cancelled workers, and of actions that cannot be done."""

from __future__ import annotations

from oh_tui.tui.ui import NotNow
from tests.tui.explorer import explore


async def test_a_worker_that_ends_before_it_has_begun_leaves_no_warning() -> None:
    """As when `q` follows a key at once; a warning fails a test, and a person would see it in the
    terminal that comes back."""
    begun = False

    async def work() -> None:
        nonlocal begun
        begun = True

    async with explore() as it:
        it.screen.ui.work_on("peek", work)
        it.screen.workers.cancel_group(it.screen, "peek")
        await it.settle()
        assert not begun


def refuses() -> None:
    raise NotNow("nothing waits")


async def test_why_not_now_is_told_and_ends_an_earlier_error_about_the_same() -> None:
    async with explore() as it:
        ui = it.screen.ui
        ui.tell("it failed", error=True, about="agent")
        with ui.telling(), ui.reporting(about="agent"):
            refuses()
        assert "nothing waits" in it.footer and not it.screen.footer.errors
