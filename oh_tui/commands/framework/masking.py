"""The last thing that sees what a command prints: it takes out what the command let through."""

from __future__ import annotations

import contextlib
import errno
import io
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast

from oh_tui.text.redact import masked


class MaskedStream:
    """A stream that lets no secret of a text through. Its `buffer` takes bytes as they are."""

    def __init__(self, stream: TextIO) -> None:
        self.unmasked = stream

    def write(self, text: str) -> int:
        self.unmasked.write(masked(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self.unmasked, name)


class _Closed(io.TextIOBase):
    """Stands for a standard output that was closed before the start (`>&-`)."""

    @property
    def buffer(self) -> Any:
        return self

    def write(self, text: object) -> int:
        raise OSError(errno.EBADF, "standard output is closed")


@contextlib.contextmanager
def masking() -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, MaskedStream(one)) if one else one for one in before)
    sys.stdout = sys.stdout or cast(TextIO, _Closed())
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def print_masked(texts: Iterable[str]) -> None:
    """Prints texts that are masked already: in JSON a mask of texts could take away its quotes."""
    stream: Any = sys.stdout
    getattr(stream, "unmasked", stream).writelines(texts)
