"""What Agent Canvas leaves on this machine: its key, and the folders of its runs. Nothing is ever
written there.

Facts without another source are measured on Agent Canvas 1.20.0.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from oh_tui.settings.credentials import caution_of, secret_of
from oh_tui.settings.paths import expanded, read_small, tilde, under_home
from oh_tui.text.problem import Problem
from oh_tui.text.redact import Secret

STATE = Path(".openhands", "agent-canvas")
"""Its folder, relative to the home folder."""

KEY_VARIABLE = "LOCAL_BACKEND_API_KEY"
"""Gives Canvas a key of its own. It writes no key file then, and one of before is of no use."""

MOST = 4096
"""Bytes that a key file may have; one has 65."""


class CanvasFiles(msgspec.Struct, frozen=True):
    key: Secret | None = None
    key_from: str = ""
    """The origin of the key in words, as in `Settings.key_from`."""
    skipped: str = ""
    """A sentence on why a key that is there is not used; "" where there is none."""
    cautions: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()
    """The folders of runs that exist."""


def read_canvas_files(environment: Mapping[str, str]) -> CanvasFiles:
    """What is there. Reads at most one small file, and raises nothing."""
    files = CanvasFiles(folders=tuple(_folders(environment)))
    try:
        if written := environment.get(KEY_VARIABLE, "").strip():
            return replace(files, key=secret_of(written, KEY_VARIABLE), key_from=KEY_VARIABLE)
        named = environment.get("OH_SESSION_API_KEY_PATH", "").strip()
        usual = under_home(environment, STATE / "api-key.txt")
        file = expanded(named, environment) if named else usual
        if file is None or (key := _key_in(file, shown := tilde(file, environment))) is None:
            return files
        cautions = caution_of(file, shown)
        return replace(files, key=key, key_from=f"the file {shown}", cautions=cautions)
    except Problem as problem:
        return replace(files, skipped=problem.sentence)


def _key_in(file: Path, shown: str) -> Secret | None:
    """The one line of a key file; None where there is none. Raises Problem."""
    try:
        text = read_small(file, MOST, own=True).decode().strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        number = getattr(error, "errno", None)
        why = getattr(error, "strerror", None) or "it is not text"
        text, why = "", "it is a link" if number in (errno.ELOOP, errno.EMLINK) else why
    else:
        several = "it has more than one line" if len(text.splitlines()) > 1 else ""
        why = several if text else "it is empty"
    if why:
        raise Problem(f"The key file of Canvas, {shown}, is not used: {why[:1].lower()}{why[1:]}")
    return secret_of(text, shown)


def _folders(environment: Mapping[str, str]) -> Iterator[Path]:
    """Those of npm and Docker [source], and of a state folder that was moved."""
    moved = environment.get("OH_CANVAS_SAFE_STATE_DIR", "").strip()
    for state in (Path(moved) if moved else None, under_home(environment, STATE)):
        for name in ("dev_conversations", "conversations"):
            try:
                if state and state.is_absolute() and (state / name).is_dir():
                    yield state / name
            except OSError:  # one above it cannot be read
                continue
