"""The client for code without asyncio: scripts, a REPL, a notebook.

    from oh_tui.api.sync import OpenHands

    with OpenHands() as api:                # key and server from the environment
        for conversation in api.search_conversations(limit=5).items:
            print(conversation.id, conversation.title)

Each class offers every method of its namesake in `oh_tui.api` and waits for the answer: a coroutine
becomes a call, an asynchronous iterator an iterator, an asynchronous context manager a context
manager. The methods are looked up in the asynchronous classes when they are used; `sync.pyi` tells
type checkers their signatures and is made by `scripts/sync_stub.py`.
"""

from __future__ import annotations

import contextlib
import inspect
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial, update_wrapper
from typing import Any, Self

from anyio.from_thread import BlockingPortal, start_blocking_portal

from oh_tui.api import (
    agent_server,
    app_server,
    bare_server,
    sandbox_server,
    sandbox_service,
    start_tasks,
)


class _Blocking:
    """An object that lives on the event loop of `portal`, used from other threads."""

    _of: type

    def __init__(self, target: Any, portal: BlockingPortal) -> None:
        self._target, self._portal = target, portal

    def __repr__(self) -> str:
        return repr(self._target)

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._target) if not name.startswith("__a")]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._target, name)
        if not inspect.ismethod(value):
            return _blocking(value, self._portal)

        def call(*args: Any, **kwargs: Any) -> Any:
            return _blocking(_call(self._portal, partial(value, *args, **kwargs)), self._portal)

        return update_wrapper(call, value)


class _Items(_Blocking):
    """An iterator over an asynchronous one."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        async def following() -> Any:
            return await anext(self._target, _END)

        item = _call(self._portal, following)
        if item is _END:
            raise StopIteration
        return item


_END = object()


class AgentServer(_Blocking):
    """`oh_tui.api.AgentServer` without `await`."""

    _of = agent_server.AgentServer


class SandboxServer(_Blocking):
    """`oh_tui.api.SandboxServer` without `await`."""

    _of = sandbox_server.SandboxServer


class SandboxService(_Blocking):
    """`oh_tui.api.SandboxService` without `await`."""

    _of = sandbox_service.SandboxService


class StartTasks(_Blocking):
    """`oh_tui.api.StartTasks` without `await`."""

    _of = start_tasks.StartTasks


class _Server(_Blocking):
    """A server on an event loop in a thread of its own.

    The thread starts with the object. It ends on leaving `with`, by `close()`, or with the program.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        stack = contextlib.ExitStack()
        with stack:
            portal = stack.enter_context(start_blocking_portal())
            target = _call(portal, partial(self._of, *args, **kwargs))
            stack.callback(_call, portal, target.aclose)
            self._close = weakref.finalize(self, stack.pop_all().close)
        super().__init__(target, portal)

    def close(self) -> None:
        """Close all connections and end the thread. Later calls raise RuntimeError."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AppServer(_Server):
    """`oh_tui.api.AppServer` without `await`, on an event loop in a thread of its own."""

    _of = app_server.AppServer


class BareAgentServer(_Server):
    """`oh_tui.api.BareAgentServer` without `await`, on an event loop in a thread of its own."""

    _of = bare_server.BareAgentServer


class OpenHands(AppServer):
    """`oh_tui.api.OpenHands` without `await`: the app server that the environment names."""

    _of = app_server.OpenHands


_CLASSES = {c._of: c for c in (AgentServer, SandboxServer, SandboxService, StartTasks)}


def _call(portal: BlockingPortal, function: Callable[[], Any]) -> Any:
    """What `function` returns on the event loop; its call ends when ctrl+c ends the wait."""
    future = portal.start_task_soon(_awaited, function)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def _awaited(function: Callable[[], Any]) -> Any:
    result = function()
    return await result if inspect.iscoroutine(result) else result


def _blocking(value: Any, portal: BlockingPortal) -> Any:
    """The same value as code without asyncio can use it."""
    if kind := _CLASSES.get(type(value)):
        return kind(value, portal)
    if isinstance(value, contextlib.AbstractAsyncContextManager):
        return _entered(value, portal)
    if isinstance(value, AsyncIterator):
        return _Items(value, portal)
    return value


@contextlib.contextmanager
def _entered(manager: Any, portal: BlockingPortal) -> Iterator[Any]:
    with portal.wrap_async_context_manager(manager) as value:
        yield _blocking(value, portal)
