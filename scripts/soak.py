"""Minutes of hard use that must leave nothing behind: `make soak MINUTES=10`.

The real app runs without a terminal on servers in another process (`soak_server`). Their runs make
fifty events a second, one run after the other, and one run grows all the time, in good and bad
weather. A restless user switches, filters, finds, resizes, pauses, downloads. At the end of each
run its events are compared with those of its agent server (`differences`).

Two measures of what the program holds, after garbage was collected, may grow by 5 % from a minute
after the warm-up to the end of the soak. All runs are let go then and there: the first is what is
left without them, and nothing may hold one of them; the second is what one of their events took
before, or the most that one takes. The medians of a minute of use are told and not judged: pages
that are being read take memory before their events are counted, which in bad weather was 8 MB of 90
in one window and none in the other. Nothing may be left when the app has ended. The size of the
process is another matter: Python and the C library keep pages that a peak left half empty, up to
0.3 of it (measured), so it only has an upper bound. Prints a line a minute, which ends with the
seed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import json
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace
from textual import events
from textual.pilot import Pilot

from oh_tui.api import AppServer
from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.sources.server import ServerSource
from oh_tui.sources.server_runs.following import is_foreign
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.events import Event
from oh_tui.tui.app import OhTui
from oh_tui.tui.controllers import READS
from oh_tui.tui.platform import idle_gc
from oh_tui.tui.state.loaded_runs import Run, Runs
from scripts.soak_caches import fill_caches
from tests.holders import holders

WARM = 360.0
"""Seconds until the maximum number of runs is held and the drawing caches are full."""

WINDOW, LOOKS = 60.0, 6.0
"""Seconds of use over which what is held is measured, after the warm-up and at the end, and those
between two looks there. Garbage is collected before each: the program does so every one to five
minutes, between which hard use leaves up to 60 MB (measured)."""

LISTS = ("lists", "more")
"""The groups of workers that read lists; those of the others hold the run that they read."""

GROWTH = 0.05
"""Maximum growth of what the program holds without runs, and for an event, after the warm-up."""

KEPT = 0.4
"""Maximum share of its largest size by which the process grew after the warm-up, with all runs
released: what a peak left half empty, 0.3 of 301 MB (measured)."""

EVENT = 3_400
"""Maximum bytes of an event in memory with its step and its analysis: 2,300 to 3,400 (measured)."""

BLOCK = 81
"""Bytes of a block of Python's own allocator, on average (measured)."""

SETTLES = 45.0
"""Maximum seconds after a run's end until it is complete. Where the app server was read, which
lacks the end for good, the agent server is asked again every ten seconds, in a storm in vain."""

BACK = 3.0
"""Seconds before the end of a run at which it is opened, to be followed to its end."""

PAUSED_EVERY = 6
"""One of so many busy runs has its sandbox paused."""

SMALL = 400
"""Maximum events of the other runs that are opened, so that their size is bounded."""

SIZES = ((160, 48), (120, 36), (80, 24), (200, 60), (60, 16), (40, 10))

NAMES = {" ": "space", "/": "slash", "?": "question_mark", "[": "left_square_bracket",
         "]": "right_square_bracket", "&": "ampersand", ":": "colon", ".": "full_stop"}  # fmt: skip


class Held(NamedTuple):
    """What is held when nothing is being read, before runs are let go and after."""

    without: int
    """Bytes without any run."""
    process: int
    """Bytes that the process takes then."""
    whole: int
    """Bytes with the runs."""
    events: int
    """How many events those have."""

    @property
    def an_event(self) -> float:
        return (self.whole - self.without) / max(1, self.events)


class Soak:
    def __init__(
        self, app: OhTui, pilot: Pilot[int], truth: AppServer, told: dict[str, Any], seed: int
    ) -> None:
        self.app, self.pilot, self.truth = app, pilot, truth
        self.screen = app.main
        self.random = random.Random(seed)
        self.busy, self.long = list[str](told["runs"]), str(told["long"])
        self.lasts = float(told["lasts"])
        self.began = time.monotonic()
        self.checked = self.counted = self.acts = 0
        self.wrong: list[str] = []
        self.others: list[Conversation] = []

    # What a person does

    async def press(self, *keys: str) -> None:
        for key in keys:
            character = next((c for c, name in NAMES.items() if name == key), None)
            character = character or (key if len(key) == 1 else None)
            self.app.post_message(events.Key(key, character))
            await self.pilot.pause(0)

    async def type(self, text: str) -> None:
        await self.press(*(NAMES.get(character, character) for character in text))

    async def quiet(self) -> None:
        """Leave everything that is open."""
        await self.press("escape", "escape")
        while len(self.app.screen_stack) > 1:
            self.app.pop_screen()
            await self.pilot.pause(0)
        while self.screen.ui.is_asking:
            await self.press("escape")

    async def moves(self) -> None:
        keys = ("j", "k", "pagedown", "pageup", "g", "G", "[", "]", "J", "K", "e", "E", "u")
        await self.press("3", *self.random.choices(keys, k=6))

    async def looks(self) -> None:
        keys = ("x", "t", "w", "R", "z", "f", "T", "c", "question_mark", "i", "v", "1", "3", "4")
        await self.press(self.random.choice(keys))
        await asyncio.sleep(0.1)

    async def resizes(self) -> None:
        await self.pilot.resize_terminal(*self.random.choice(SIZES))

    async def filters(self) -> None:
        await self.press("3", "ampersand")
        await self.type(self.random.choice(("is:failed", "seed 7", "tool:edit", "took:>9s")))
        await self.press("enter")
        await asyncio.sleep(0.2)

    async def finds(self) -> None:
        await self.press("3", "slash")
        await self.type(self.random.choice(("crash", "seed 99", "nowhere")))
        await self.press("enter", "n", "N")

    async def palette(self) -> None:
        await self.press("ctrl+p")
        await self.type(self.random.choice(("soak", "mess", "zoom")))
        await asyncio.sleep(0.1)

    async def walks(self) -> None:
        """Walk along the conversations; resting on one previews it."""
        await self.press("1", *self.random.choices(("j", "k", "pagedown", "g"), k=4), "tab", "tab")

    async def refreshes(self) -> None:
        await self.press("1", "r")

    async def switches(self) -> None:
        if self.others:
            self.screen.controllers.run.open(
                self.random.choice(self.others), preview=self.random.random() < 0.3
            )
            await asyncio.sleep(self.random.uniform(0.0, 0.6))

    async def reads(self) -> None:
        await asyncio.sleep(2.5)

    async def downloads(self) -> None:
        await self.press("1", "d")
        await asyncio.sleep(0.3)

    async def pauses(self) -> None:
        """Pause the sandbox of the busy runs and resume it; every other time stop the agent before
        and let it continue afterwards. In bad weather that takes some keys."""
        await self.pilot.resize_terminal(*SIZES[0])  # the smallest shows no question
        run = self.busy[self.present]
        stops = self.present // PAUSED_EVERY % 2 == 0
        await self.opens(run)
        for wanted, tries in (("PAUSED", 6), ("RUNNING", 20)):
            for _ in range(tries):
                found = await self.record(run)
                if found and found.sandbox_status == wanted:
                    break
                await self._asks("p", "enter" if stops else "f")
                await self.quiet()
            else:
                self.wrong.append(f"the sandbox of {run} did not become {wanted.lower()}")
        for _ in range(6 if stops else 0):
            found = await self.record(run)
            if found and found.execution_status in ("running", "finished"):
                break
            await self._asks("P", "enter")
            await self.quiet()

    async def _asks(self, key: str, how: str) -> None:
        """Press a key and answer what it asks."""
        await self.press("3", key)
        end = time.monotonic() + 4
        while not self.screen.asking.question_bar.is_seen and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        if question := self.screen.asking.question_bar.question:
            freezes = how == "f" and any(one.letter == "f" for one in question.answers)
            await self.press(*(("f", "enter") if freezes else ("enter",)))
        await asyncio.sleep(2.0)

    # The runs

    @property
    def present(self) -> int:
        """The number of the run that is making events."""
        return min(int((time.monotonic() - self.began) / self.lasts), len(self.busy) - 1)

    @property
    def held(self) -> int:
        """The number of events held of all runs."""
        return sum(len(run.trajectory.events) for run in self.screen.session.runs._runs.values())

    async def record(self, identifier: str) -> Conversation | None:
        with contextlib.suppress(Problem):
            (found,) = await self.truth.get_conversations([identifier])
            return found
        return None

    async def opens(self, identifier: str) -> None:
        if found := await self.record(identifier):
            self.screen.controllers.run.open(found)
            self.screen.focus_pane("timeline")

    async def opens_whole(self, identifier: str) -> None:
        await self.opens(identifier)
        end = time.monotonic() + self.lasts / 3
        while time.monotonic() < end:
            run = self.screen.session.runs.get(identifier)
            if run and run.trajectory.complete:
                return
            await asyncio.sleep(0.1)

    async def account(self, identifier: str) -> None:
        """The run was followed to its end: compare its events with those of its agent server."""
        end = time.monotonic() + SETTLES
        wrong, found, run = "it is not there", None, None
        while time.monotonic() < end:
            found = await self.record(identifier)
            agent = self.truth.agent_server(found) if found else None
            if found and agent:
                run = self.screen.session.runs.get(found.id)
                wrong = "its events could not be read"
                with contextlib.suppress(Problem):
                    there = [event async for event in agent.events()]
                    wrong = differences(run, there) if run else "it is not open"
                if not wrong and run and found.execution_status == "finished":
                    self.checked += 1
                    self.counted += len(run.whole.events)
                    return
            if found and not self.screen.session.is_open(found):
                await self.opens(identifier)  # the cursor of the list had rested on another
            for key, told in (("r", "r reads on"), ("L", "L reads all")):
                if told in self.screen.run_view.progress:  # as it tells everybody who looks
                    await self.press(key)
            await asyncio.sleep(0.3)
        at_work = sorted({worker.group for worker in self.app.workers if worker.is_running})
        told = f"{self.screen.run_view.progress!r} {self.screen.footer.news!r}"
        named = found.title if found else identifier
        self.wrong.append(
            f"{named}, via {run.via if run else None}: {wrong or 'its events are right'}; at work: "
            f"{at_work}; told: {told}; {found.execution_status if found else 'not there'}"
        )

    async def lets_go(self) -> Held:
        """Release all runs; returns what is held before and after."""
        await self.quiet()
        self.app.collector.collect()
        whole, count = held_bytes(), self.held
        left = [weakref.ref(run.whole) for run in self.screen.session.runs.all()]
        for group in READS:
            if group not in LISTS:
                self.screen.workers.cancel_group(self.screen, group)
        self.screen.session.close_run()
        self.screen.session.runs = Runs()
        self.screen.run_view.show_run(None)
        for _ in range(10):  # a thread may be about to end
            await asyncio.sleep(1.0)
            self.app.collector.collect()
            if not any(run() for run in left):
                break
        for run in filter(None, (run() for run in left)):
            self.wrong.append(f"a run of {len(run.events):,} events is still held: {holders(run)}")
        return Held(held_bytes(), private_bytes(), whole, count)

    async def act(self) -> None:
        what: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self.moves, 10), (self.looks, 6), (self.resizes, 3), (self.filters, 4),
            (self.finds, 3), (self.walks, 3), (self.palette, 2), (self.refreshes, 1),
            (self.switches, 6), (self.downloads, 1), (self.reads, 1),
        ]  # fmt: skip
        chosen = self.random.choices([w for w, _ in what], [often for _, often in what])[0]
        await chosen()
        await asyncio.sleep(self.random.uniform(0.0, 0.2))
        await self.quiet()
        self.acts += 1


def differences(run: Run, there: list[Event]) -> str:
    """How a run differs from what its agent server has, "" for not at all. What the agent server
    gave has its order; what came from the app server has that of time, which is another, and may
    have among it what no agent server keeps."""
    held, whole = run.whole.events, run.whole
    ordered = whole.copied_from if run.via == "agent server" else 0
    if run.via == "app server":
        held = [event for event in held if not is_foreign(event)]
        there = [event for event in there if not is_foreign(event)]
    names, others = ({event.id for event in events} for events in (held, there))
    lacking = [event.kind for event in there if event.id not in names]
    more = [event.key or event.kind for event in held if event.id not in others]
    if lacking or more:
        return (
            f"of {len(there):,} events {len(lacking):,} lack ({lacking[:5]}), {len(more):,} are "
            f"more ({more[:5]})"
        )
    pairs = zip(held[:ordered], there[:ordered], strict=True)
    first = next((n for n, (one, other) in enumerate(pairs) if one.id != other.id), None)
    return "" if first is None else f"event {first:,} of {len(there):,} is in another place"


def private_bytes() -> int:
    """Memory private to this process (USS)."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024


class _Malloc(ctypes.Structure):
    """The result of mallinfo2 of glibc 2.33."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks",
                     "uordblks", "fordblks", "keepcost")
    ]  # fmt: skip


def held_bytes() -> int:
    """Bytes that the program holds: blocks of Python's allocator, and allocations of malloc."""
    ask = ctypes.CDLL(None).mallinfo2
    ask.restype = _Malloc
    malloc = ask()
    return int(sys.getallocatedblocks() * BLOCK + malloc.uordblks + malloc.hblkhd)


def sockets() -> int:
    found = 0
    for name in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += str(name.readlink()).startswith("socket:")
    return found


async def soak(minutes: float, seed: int, grows: float, folder: Path) -> list[str]:
    """The failures, as sentences."""
    count = str(int(minutes * 60 / 15) + 4)
    long = str(max(20.0, min(grows, minutes * 60 - 15)))
    words = [sys.executable, "-m", "scripts.soak_server", count, str(seed), long]
    server = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert server.stdout
    told = json.loads(await server.stdout.readline())
    address = f"http://127.0.0.1:{told['port']}"
    bad = 0

    def watch(method: str, url: str, status: int | None, took: float) -> None:
        nonlocal bad
        bad += status is None or status >= 400

    settings = replace(Settings(), download_folder=folder)
    before = sockets()
    app = OhTui(lambda: ServerSource(AppServer(address, watch=watch), "soak"), settings)
    wrong: list[str] = []
    # what is true is read in good weather: in bad, 144 pages of a long run never come one by one
    async with AppServer(f"http://127.0.0.1:{told['fair']}") as truth:
        try:
            async with app.run_test(size=SIZES[0]) as pilot:
                one = Soak(app, pilot, truth, told, seed)
                wrong = await _minutes(one, minutes, lambda: bad, seed)
                if app.crashed:
                    wrong.append(f"it broke off with {app.crashed}; the report is in {app.report}")
        finally:
            server.send_signal(signal.SIGTERM)
            await server.wait()
    await asyncio.sleep(0.5)
    gc.collect()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    if tasks:
        wrong.append(f"{len(tasks)} tasks are left: {[task.get_name() for task in tasks][:5]}")
    if (left := sockets() - before) > 0:
        wrong.append(f"{left} sockets are left")
    return wrong


async def _minutes(one: Soak, minutes: float, bad: Callable[[], int], seed: int) -> list[str]:
    end = one.began + minutes * 60
    warm = one.began + WARM
    memory: list[tuple[float, int, int]] = []
    """Time, bytes held, and number of events."""
    largest = 0
    shown, looked, paused, tasks, seen, long = 0, 0.0, 0, 0, -1, -1
    first_left: Held | None = None
    while (now := time.monotonic()) < end:
        number = one.present
        left = one.lasts - (now - one.began) % one.lasts
        if left < BACK and seen < number:
            await one.quiet()
            await one.opens(one.busy[number])
            while one.present == number and time.monotonic() < end:
                await one.moves()
                await asyncio.sleep(0.1)
            await one.account(one.busy[number])
            seen = number
            if not one.others and one.screen.sidebar.conversations:
                one.others = await _small(one)
        elif number % PAUSED_EVERY == 4 and number != paused and left > 8:
            paused = number
            await one.pauses()
        elif long < number and left < one.lasts / 2:
            long = number
            await one.quiet()
            await one.opens_whole(one.long)
            await one.moves()
        elif one.random.random() < 0.2:
            await one.opens(one.busy[number])
        else:
            await one.act()
        if not first_left and now > warm + WINDOW:
            first_left = await one.lets_go()
            _tell("let go", first_left.without, tasks, one, bad(), seed)
        is_measured = warm <= now < warm + WINDOW or now > end - WINDOW
        if now - looked > (LOOKS if is_measured else 2):
            if is_measured:
                one.app.collector.collect()
            looked, tasks = now, len(asyncio.all_tasks())
            memory.append((now, held_bytes(), one.held))
            largest = max(largest, private_bytes())
        if int((now - one.began) / 60) > shown:
            shown += 1
            _tell(f"minute {shown}", memory[-1][1], tasks, one, bad(), seed)
    first = [row for row in memory if warm <= row[0] < warm + WINDOW]
    last = [row for row in memory if row[0] > end - WINDOW]
    size = memory[-1][1]
    if first and last and warm + 2 * WINDOW < end:
        before, after = (statistics.median(row[1] for row in rows) for rows in (first, last))
        fewer, more = (statistics.median(row[2] for row in rows) for rows in (first, last))
        told = (
            f"in the minute after the warm-up it held {before / 1e6:.1f} MB with {fewer:,.0f} "
            f"events, in the last one {after / 1e6:.1f} MB with {more:,.0f} (medians): "
            f"{after / before - 1:+.1%}, some of it of events that were being read"
        )
        _tell(told, size, tasks, one, bad(), seed)
    await one.quiet()
    await one.opens(one.long)
    await one.account(one.long)
    _tell("at the end", size, tasks, one, bad(), seed)
    if first_left:
        most = max(one.held, *(row[2] for row in memory))
        last_left = await one.lets_go()
        held = last_left.without / first_left.without - 1
        taken = (last_left.process - first_left.process) / largest
        told = (
            f"with all runs let go it holds {held:+.1%} since the same after the warm-up, of up to "
            f"{most:,} events, and takes more by {taken:.0%} of its largest {largest / 1e6:.0f} MB"
        )
        _tell(told, last_left.without, tasks, one, bad(), seed)
        if held > GROWTH or taken > KEPT:
            one.wrong.append(f"{told}; {GROWTH:.0%} and {KEPT:.0%} would be in order")
        told = (
            f"before that, {last_left.events:,} events took {last_left.an_event:,.0f} bytes each; "
            f"after the warm-up {first_left.events:,} took {first_left.an_event:,.0f} each"
        )
        _tell(told, last_left.whole, tasks, one, bad(), seed)
        allowed = max(first_left.an_event, EVENT) * (1 + GROWTH)
        if last_left.an_event > allowed:
            one.wrong.append(f"{told}; {allowed:,.0f} would be in order")
    return one.wrong


async def _small(one: Soak) -> list[Conversation]:
    found = []
    for conversation in one.screen.sidebar.conversations:
        if conversation.id not in one.busy and one.screen.session.source:
            with contextlib.suppress(Problem):
                total, _ = await one.screen.session.source.runs.count_events(conversation)
                found += [conversation] if total <= SMALL else []
    return found


def _tell(head: str, memory: int, tasks: int, one: Soak, bad: int, seed: int) -> None:
    print(
        f"{head}: {memory / 1e6:.1f} of {private_bytes() / 1e6:.1f} MB · "
        f"{one.held:,} events held · {tasks} tasks · {threading.active_count()} threads · "
        f"{sockets()} sockets · {one.acts} acts · "
        f"{bad} bad answers · {one.counted:,} events of {one.checked} runs accounted for · "
        f"seed {seed}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--grows", type=float, default=float("inf"), metavar="SECONDS",
                        help="of the run that grows; memory has to be flat without it")  # fmt: skip
    asked = parser.parse_args()
    gc.callbacks.append(idle_gc.freeze_survivors)  # as the app does when it is run
    fill_caches()
    with tempfile.TemporaryDirectory(prefix="oh-tui-soak-") as folder:
        wrong = asyncio.run(soak(asked.minutes, asked.seed, asked.grows, Path(folder)))
        files = list(Path(folder).iterdir())
        wrong += [f"{path.name} is left" for path in files if path.suffix != ".zip"]
        wrong += [f"{path.name} is empty" for path in files if not path.stat().st_size]
    for sentence in wrong:
        print(f"wrong: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
