"""A repository's file with rules, and whether the user has agreed to what it says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from oh_tui.settings.paths import read_text, state_file
from oh_tui.settings.private_store import PrivateStore
from oh_tui.text.clean import clean
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.redact import safe, safe_line

OF_REPOSITORY = Path(".oh-tui", "rules.toml")

MOST = 1_000
"""Contents that are remembered, the last ones."""


class NotAgreed(Problem):
    """A file of a repository that the user has not agreed to, with what it said when read."""

    def __init__(self, file: Path, said: str) -> None:
        super().__init__(
            f"Nobody here agreed to the rules of this repository, {safe_line(str(file))}",
            "oh-tui config trust shows them and asks; --rules FILE takes them once",
        )
        self.file, self._said = file, said

    @property
    def text(self) -> str:
        return safe(clean(self._said))

    def agree(self, environment: Mapping[str, str]) -> None:
        """Remembers that the user agreed to this content. Raises Problem if that cannot be kept."""
        store = _Agreed(state_file(environment, "agreed"), MOST * 80, list)
        store.to_write(sha256(self._said.encode()).hexdigest())
        if not store.lasts or not store.save():
            where = store.trouble or "a home folder: there is none"
            sentence = f"What you agree to cannot be written into {where}"
            raise Refused(sentence, "XDG_STATE_HOME names another folder")


class _Agreed(PrivateStore[list[str], str]):
    def decoded(self, data: bytes) -> list[str]:
        return msgspec.json.decode(data, type=list[str])

    def encoded(self, digests: list[str]) -> bytes:
        return msgspec.json.encode(digests[-MOST:])

    def changed(self, digests: list[str], change: str) -> list[str]:
        return [*(one for one in digests if one != change), change]


def not_agreed(environment: Mapping[str, str], file: Path | None) -> NotAgreed | None:
    """The file with what it says, if the user has not agreed to that. Raises Problem."""
    if file is None:
        return None
    said = read_rules(file)
    digests = _Agreed(state_file(environment, "agreed"), MOST * 80, list).read() or []
    return None if sha256(said.encode()).hexdigest() in digests else NotAgreed(file, said)


def read_rules(file: Path) -> str:
    return read_text(file, safe_line(str(file)), most=64 * 1024)


def of_repository(here: Path | None) -> Path | None:
    """The file with rules nearest to a folder, up to the top of its repository."""
    folders = (here.absolute(), *here.absolute().parents) if here else ()
    top = next((n for n, one in enumerate(folders) if os.path.lexists(one / ".git")), -1)
    found = (folder / OF_REPOSITORY for folder in folders[: top + 1])
    return next(filter(Path.is_file, found), None)


def here() -> Path | None:
    """The folder whose repository may have rules; None where it is gone."""
    try:
        return Path.cwd()
    except OSError:
        return None
