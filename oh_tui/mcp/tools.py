"""A tool: a function, with what a client may call it with and what its model is told of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

from oh_tui.mcp.answers import Found
from oh_tui.mcp.arguments import Branch, Cursor, Limit, OnlyRun
from oh_tui.mcp.session import Read, Session
from oh_tui.text.remarks import in_background


def _parameter(name: str, of: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=of)


_OF_RUN = (_parameter("run", OnlyRun, ""), _parameter("branch", Branch, None))


class Tool:
    """A function that gets the session, or the run that is named, as `read`; one of those that does
    not wait works in a thread. Its other parameters are what a client gives, its docstring is what
    the client's model reads."""

    def __init__(self, work: Callable[..., Any], limit: int | None) -> None:
        self.work, self.limit, self.name = work, limit, work.__name__
        self.of_run = "read" in inspect.signature(work).parameters

    @property
    def about(self) -> str:
        return " ".join((self.work.__doc__ or "").split())

    @cached_property
    def signature(self) -> inspect.Signature:
        _, *own = inspect.signature(self.work, eval_str=True).parameters.values()
        named = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
        limit = [_parameter("limit", Limit, self.limit)] if self.limit else []
        cursor = [] if self.limit is None else [_parameter("cursor", Cursor, "")]
        return inspect.Signature([*(_OF_RUN if self.of_run else ()), *named, *limit, *cursor])

    async def __call__(self, session: Session, **given: Any) -> Found:
        of: Session | Read = session
        if self.of_run:
            of = await session.read(given.pop("run"), given.pop("branch"))
        if inspect.iscoroutinefunction(self.work):
            found: Found = await self.work(of, **given)
            return found
        return await in_background(partial(self.work, of, **given))


def tool(limit: int | None = None) -> Callable[[Callable[..., Any]], Tool]:
    """Makes a tool of a function. `limit` rows are on a page unless a client wants others; 0: its
    pages are those of a text; None: all is on one page."""
    return lambda work: Tool(work, limit)
