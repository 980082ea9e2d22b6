"""The worker processes that read runs: starts and ends them, passes the user's keys, replaces those
that die."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing import connection, get_context, resource_tracker
from typing import Generic, NamedTuple, Protocol, TypeVar

from oh_tui.text.problem import Problem
from oh_tui.text.redact import held, hold_these

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ENDED = "the process that read it ended"


class At(NamedTuple):
    """The task reads this run next. The run may kill the process."""

    place: str


class Died(NamedTuple):
    """The process died while it read this run; "" if it had begun none."""

    place: str


class Task(Protocol[T_co]):
    """Work for a process. It is sent as a pickle, and what it finds is sent back."""

    def work(self) -> Iterator[At | T_co]:
        """Yields an `At` before each run, then what it finds. Never raises."""

    def without(self, places: Sequence[str]) -> Task[T_co]: ...


def cores() -> int:
    allowed = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(allowed(0)) if allowed else os.cpu_count() or 1


class Pool(Generic[T]):
    """Worker processes for one task after another. Any thread may `stop` them, at once."""

    def __init__(self, processes: int, nice: int = 0) -> None:
        """`nice` is added to the niceness of each process."""
        self.workers: list[Worker[T]] = []
        self._processes, self._nice = processes, nice
        self._lock = threading.Lock()
        self._is_stopped = False
        self._begun_again = set[int]()
        """Tasks whose process died before the first run; a second time ends them."""

    def __enter__(self) -> Pool[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def each(
        self, tasks: Iterable[Task[T]], ahead: int = sys.maxsize
    ) -> Iterator[tuple[int, T | Died | None]]:
        """Yields the number of a task with each thing it finds, and with None at its end. A process
        that dies costs only the run it was reading. A task starts only if its number is less than
        `ahead` above the lowest running one. Raises Problem if no process can be started."""
        coming = enumerate(tasks)
        following = next(coming, None)
        while not self._is_stopped:
            busy = [worker for worker in self.workers if worker.task is not None]
            while following and len(busy) < self._processes:
                if busy and following[0] >= ahead + min(worker.number for worker in busy):
                    break
                busy.append(self._begun(*following))
                following = next(coming, None)
            if not busy:
                return
            for line in connection.wait([worker.line for worker in busy]):
                yield from self._received(next(one for one in busy if one.line is line))

    def in_order(self, tasks: Iterable[Task[T]], ahead: int) -> Iterator[tuple[int, T | Died]]:
        """What each finds, in the order of the tasks."""
        found: dict[int, list[T | Died]] = {}
        ended, following = set[int](), 0
        for number, one in self.each(tasks, ahead):
            if one is not None:
                found.setdefault(number, []).append(one)
                continue
            ended.add(number)
            while following in ended:
                yield from ((following, one) for one in found.pop(following, ()))
                following += 1

    def stop(self) -> None:
        with self._lock:
            self._is_stopped = True
            workers, self.workers = self.workers, []
        for worker in workers:
            worker.end()

    def _begun(self, number: int, task: Task[T]) -> Worker[T]:
        worker = next((one for one in self.workers if one.task is None), None) or self._started()
        worker.begin(number, task)
        return worker

    def _started(self) -> Worker[T]:
        with self._lock:
            try:
                worker = Worker[T](self._nice)
            except OSError as error:  # too many processes or open files
                raise Problem("No process can be started to read the runs", "try again") from error
            self.workers.append(worker)
            if self._is_stopped:
                worker.end()
            return worker

    def _received(self, worker: Worker[T]) -> Iterator[tuple[int, T | Died | None]]:
        number, task = worker.number, worker.task
        try:
            found = worker.line.recv()
        except (EOFError, OSError):
            if self._is_stopped or task is None:
                return
            worker.end()
            self.workers.remove(worker)
            if worker.at:
                yield number, Died(worker.at)
            if worker.begun or number not in self._begun_again:
                if not worker.begun:  # it may have been killed while it started
                    self._begun_again.add(number)
                self._begun(number, task.without(worker.begun))
                return
            yield number, Died("")
            found = None
        if isinstance(found, At):
            worker.begun.append(found.place)
            worker.at = found.place
            return
        worker.at = ""
        if found is None:
            worker.task = None
        yield number, found


class Worker(Generic[T]):
    def __init__(self, nice: int) -> None:
        # spawn: a forked child would inherit locks that other threads hold
        context = get_context("spawn")
        # Textual's stderr has no file descriptor, and the resource tracker needs one
        with contextlib.redirect_stderr(sys.__stderr__):
            resource_tracker.ensure_running()
        self.line, theirs = context.Pipe()
        with theirs:
            self.process = context.Process(target=serve, args=(theirs, nice), daemon=True)
            try:  # until it ignores ctrl+c, it must not get one
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
                self.process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        self.number = 0
        self.task: Task[T] | None = None
        self.begun: list[str] = []
        """Places of the task's runs that the process has begun."""
        self.at = ""
        """The place that the process reads now."""

    def begin(self, number: int, task: Task[T]) -> None:
        self.number, self.task, self.begun, self.at = number, task, [], ""
        with contextlib.suppress(OSError):  # it has died: whoever waits on the line sees it
            self.line.send((task, held()))

    def end(self) -> None:
        """The line stays open: another thread may be waiting on it."""
        self.process.kill()
        self.process.join()


def serve(line: connection.Connection, nice: int) -> None:
    """Main loop of a worker process, until the other end closes. It is silent and ignores ctrl+c:
    the terminal belongs to the program that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    with contextlib.suppress(OSError):
        os.nice(nice)
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # runs have no reference cycles, so collect rarely
    with contextlib.suppress(EOFError, OSError):
        while True:
            received: tuple[Task[object], Sequence[str]] = line.recv()
            task, keys = received
            hold_these(keys)
            for found in task.work():
                line.send(found)
            line.send(None)
