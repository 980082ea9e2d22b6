"""Objects on an event loop in another thread, used without asyncio: what `sync` is built on."""

from __future__ import annotations

import contextlib
import inspect
import re
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial, update_wrapper
from types import new_class
from typing import Any, ClassVar, Generic, Self, TypeVar, get_args, get_origin

from anyio.from_thread import BlockingPortal, start_blocking_portal

from oh_tui.api import paging
from oh_tui.api.http import response_body
from oh_tui.api.models import Page

T = TypeVar("T")

_END: Any = object()
_KINDS: dict[type, type[Blocking]] = {}
"""The class here of each asynchronous class."""


class Blocking:
    """An object that lives on the event loop of `portal`."""

    _of: ClassVar[type]

    def __init_subclass__(cls, of: type | None = None) -> None:
        super().__init_subclass__()
        if of:
            cls._of = of
            _KINDS[of] = cls

    @classmethod
    def _wrapping(cls, target: object, portal: BlockingPortal) -> Self:
        wrapper = cls.__new__(cls)
        wrapper._target, wrapper._portal = target, portal
        return wrapper

    _target: Any
    _portal: BlockingPortal

    def __repr__(self) -> str:
        return repr(self._target)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._get(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in vars(self._target) if name[0] != "_")]

    def _get(self, name: str) -> Any:
        return _blocking(getattr(self._target, name), self._portal)

    def _call(self, name: str, *args: object, **kwargs: object) -> Any:
        method = partial(getattr(self._target, name), *args, **kwargs)
        return _blocking(_wait(self._portal, method), self._portal)


class Items(Blocking, Iterator[T]):
    """An iterator over an asynchronous one."""

    def __next__(self) -> T:
        async def following() -> T:
            return await anext(self._target, _END)

        item: T = _wait(self._portal, following)
        if item is _END:
            raise StopIteration
        return item


class Pieces(Items[bytes], of=response_body.Pieces):
    """The pieces of a file as they arrive. Raises Unreachable at the end when fewer bytes came."""

    @property
    def size(self) -> int | None:
        """The sum of their bytes, None when the server does not say."""
        size: int | None = self._get("size")
        return size


class Listing(Blocking, Generic[T], of=paging.Listing):
    """The items of a listing, each once. Each iteration reads the listing from its start. Items
    that cannot be read are left out, and those beyond 100,000: the pages tell of both."""

    def __iter__(self) -> Iterator[T]:
        items: Iterator[T] = self._call("__aiter__")
        return items

    def pages(self) -> Iterator[Page[T]]:
        """The same page by page; a page that failed is read again by the next step."""
        pages: Iterator[Page[T]] = self._call("pages")
        return pages


class Server(Blocking):
    """A server on an event loop in a thread of its own.

    The thread starts with the object. It ends on leaving `with`, by `close()`, or with the program.
    """

    def _start(self, *args: object, **kwargs: object) -> None:
        stack = contextlib.ExitStack()
        with stack:
            self._portal = stack.enter_context(start_blocking_portal())
            self._target = _wait(self._portal, partial(self._of, *args, **kwargs))
            stack.callback(_wait, self._portal, self._target.aclose)
            self._close = weakref.finalize(self, stack.pop_all().close)

    @property
    def seconds_ahead(self) -> float:
        """Seconds by which this machine's clock is ahead of the server's."""
        ahead: float = self._get("seconds_ahead")
        return ahead

    def close(self) -> None:
        """Close all connections and end the thread. Later calls raise RuntimeError."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def waiting(of: type, base: type[Blocking]) -> Any:
    """The class here of an asynchronous one: its public methods, with their signatures and words,
    each of which waits for the answer."""
    members: dict[str, object] = {"__doc__": _words(of), "__module__": f"{__package__}.sync"}
    for name, member in vars(of).items():
        if name == "__init__" and issubclass(base, Server):
            members[name] = _method(member, base._start)
        elif name.startswith(("_", "aclose")):
            continue
        elif inspect.isfunction(member):
            members[name] = _method(member, partial(_called, name))
        elif isinstance(member, property):
            members[name] = property(partial(_got, name), doc=member.__doc__)
    return new_class(of.__name__, (base,), {"of": of}, lambda names: names.update(members))


def _called(name: str, self: Blocking, *args: object, **kwargs: object) -> Any:
    return self._call(name, *args, **kwargs)


def _got(name: str, self: Blocking) -> Any:
    return self._get(name)


def _method(member: Any, call: Callable[..., object]) -> Callable[..., object]:
    def method(self: Blocking, *args: object, **kwargs: object) -> object:
        return call(self, *args, **kwargs)

    made: Any = update_wrapper(method, member)
    del made.__wrapped__
    signature, is_managed = inspect.signature(member, eval_str=True), hasattr(member, "__wrapped__")
    outer = contextlib.AbstractContextManager if is_managed else Iterator
    answer = _without_async(signature.return_annotation, outer)
    made.__signature__, made.__doc__ = signature.replace(return_annotation=answer), _words(member)
    return method


def _without_async(kind: Any, outer: Any = Iterator) -> Any:
    is_async = get_origin(kind) is AsyncIterator
    return outer[tuple(map(_without_async, get_args(kind)))] if is_async else kind


def _words(of: Any) -> str:
    return re.sub(r"\basync (with|for)\b", r"\1", inspect.cleandoc(of.__doc__ or ""))


def _wait(portal: BlockingPortal, function: Callable[[], object]) -> Any:
    """What `function` returns on the event loop; its call ends when ctrl+c ends the wait."""
    future = portal.start_task_soon(_awaited, function)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def _awaited(function: Callable[[], object]) -> object:
    result = function()
    return await result if inspect.iscoroutine(result) else result


def _blocking(value: object, portal: BlockingPortal) -> object:
    """The same value as code without asyncio can use it."""
    if kind := _KINDS.get(type(value)):
        return kind._wrapping(value, portal)
    if isinstance(value, contextlib.AbstractAsyncContextManager):
        return _entered(value, portal)
    if isinstance(value, AsyncIterator):
        return Items._wrapping(value, portal)
    return value


@contextlib.contextmanager
def _entered(manager: Any, portal: BlockingPortal) -> Iterator[Any]:
    with portal.wrap_async_context_manager(manager) as value:
        yield _blocking(value, portal)
