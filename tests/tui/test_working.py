"""What becomes of cancelled workers."""

from __future__ import annotations

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
