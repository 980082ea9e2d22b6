"""Keys, found where they are kept: the environment, a file, a command, the OpenHands CLI."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.api.models import Secret
from oh_tui.settings.address import CLOUD
from oh_tui.settings.config import ServerEntry
from oh_tui.settings.paths import expanded, read_small, tilde, under_home
from oh_tui.text.clean import held, hold, safe_line
from oh_tui.text.problem import Problem

if TYPE_CHECKING:
    import subprocess

STORED_KEY = Path(".openhands", "cloud", "api_key.txt")
"""Where the OpenHands CLI keeps the key after `openhands login`, under the home folder."""

PATIENCE = 10.0
"""Seconds that a command may take to tell a key."""

MOST = 1 << 20
ERRORS = 1 << 16
"""Bytes that are read of what it prints, and bytes at the end of its errors that are kept."""

Found = tuple[Secret | None, str, tuple[str, ...]]
"""A key, where it was found in words, and what is to be said about that."""


VARIABLES = ("OPENHANDS_CLOUD_API_KEY", "OPENHANDS_API_KEY")

_names = set(VARIABLES)
"""Variables that hold a key, as far as the settings name them."""


def hold_keys(environment: Mapping[str, str], servers: Iterable[ServerEntry]) -> None:
    """Let no key of the environment be shown, be it used or not: the runs of this machine had the
    same environment, and may have printed it."""
    _names.update(server.key_env for server in servers)
    for name in _names:
        hold(environment.get(name, "").strip())


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that needs no key, such as the browser: without the variables
    that hold one, whatever they are called. A key command gets all: it may need another secret to
    find the key."""
    keys = held()
    return {
        name: value
        for name, value in environment.items()
        if name not in _names and not any(key in value for key in keys)
    }


def named_key(server: ServerEntry, environment: Mapping[str, str]) -> Found:
    """The key of a server that says where it is."""
    if server.key_command:
        # whole: whoever shows it knows the key by then, which may stand anywhere in it
        return None, f"the command {safe_line(shlex.join(server.key_command))}", ()
    if server.key_env:
        written = environment.get(server.key_env, "").strip()
        if not written:
            raise Problem(
                f"The key of {server.name} should be in {server.key_env}, which is not set",
                f"set it, or change key_env of [servers.{server.name}]",
            )
        return _secret(written, server.key_env), server.key_env, ()
    file = expanded(server.key_file, environment)
    place = tilde(file, environment)
    try:
        written = read_small(file).decode("utf-8", "replace").strip()
        caution = _caution(file, place)
    except OSError as error:
        raise Problem(
            f"The key of {server.name} cannot be read from {place}: "
            f"{(error.strerror or str(error)).lower()}",
            f"change key_file of [servers.{server.name}]",
        ) from error
    if not written:
        raise Problem(f"The key file {place} is empty", "put the key into it, and nothing else")
    return _secret(written, place), f"the file {place}", caution


def find_key(environment: Mapping[str, str], base_url: str) -> Found:
    """The key for a server that was given by its address."""
    # On Cloud the name that says Cloud wins. Any other server gets the general key first, so that
    # a Cloud key set for other tools is not sent there while one meant for it is set too.
    for name in VARIABLES if base_url == CLOUD else reversed(VARIABLES):
        key = environment.get(name, "").strip()
        if key:
            return _secret(key, name), name, ()
    # The stored key was given to the CLI by Cloud, not to us for any server: it goes nowhere else.
    file = under_home(environment, STORED_KEY)
    if base_url == CLOUD and file:
        place = f"~/{STORED_KEY}"
        try:
            key, caution = read_small(file).decode("utf-8").strip(), _caution(file, place)
        except (OSError, UnicodeDecodeError):
            return None, "", ()
        if key:
            told = f"using the key that the OpenHands CLI keeps in {place}"
            return _secret(key, place), f"the OpenHands CLI ({place})", caution or (told,)
    return None, "", ()


def _caution(file: Path, place: str) -> tuple[str, ...]:
    if file.stat().st_mode & 0o077:
        return (f"others can read the key in {place}: chmod 600 {place}",)
    return ()


def command_key(words: tuple[str, ...]) -> Secret:
    """The key that a command prints. Takes up to PATIENCE."""
    name = _shown_command(words)
    told = _output(words, name).strip()
    if not told:
        raise Problem(f"{name} told no key", "it has to print the key, and nothing else")
    return _secret(told, f"the output of {name}")


def _secret(key: str, place: str) -> Secret:
    # Such a key breaks the header it is sent in, with an error that may show it.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Problem(
            f"The key in {place} has characters that no key has",
            "copy it again, without quotes, spaces or line breaks",
        )
    return Secret(key)


def _output(words: tuple[str, ...], shown: str) -> str:
    """What a command prints, run without a shell, without a terminal to ask on, and in a session
    of its own, so that what it started ends with it."""
    import subprocess  # few have such a command

    hint = "key_command in the settings file; try it in a shell"
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Problem(f"{shown} cannot be started: {why.lower()}", hint) from error
    try:
        told, errors = _read(process)
    except subprocess.TimeoutExpired as error:
        raise Problem(f"{shown} told no key within {PATIENCE:.0f} s", hint) from error
    finally:
        # also of a command that has ended: what it left running has its group
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
    if len(told) > MOST:
        raise Problem(f"{shown} printed more than {MOST >> 20} MiB", hint)
    if process.returncode:
        lines = errors.decode("utf-8", "replace").strip().splitlines()
        said = f": {safe_line(lines[-1])[:200]}" if lines else ""
        raise Problem(f"{shown} ended with code {process.returncode}{said}", hint)
    return told.decode("utf-8", "replace")


def _read(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a process prints until it ends, up to MOST bytes and a little more, and the end of its
    errors. Raises TimeoutExpired after PATIENCE."""
    assert process.stdout and process.stderr
    streams = [process.stdout, process.stderr]
    found = {stream: bytearray() for stream in streams}
    end = time.monotonic() + PATIENCE
    while streams and len(found[process.stdout]) <= MOST:
        # a program that it started may hold the streams open when it has ended
        ended = process.poll() is not None
        ready = select.select(streams, [], [], 0 if ended else 0.05)[0]
        for stream in ready:
            piece = os.read(stream.fileno(), 1 << 16)
            found[stream] += piece
            if not piece:
                streams.remove(stream)
        del found[process.stderr][:-ERRORS]
        late = time.monotonic() > end
        if ended and (late or not ready):
            break
        if late:
            process.wait(0.0)
    if not streams:  # it may have closed them before its end
        process.wait(max(0.0, end - time.monotonic()))
    return bytes(found[process.stdout]), bytes(found[process.stderr])


def _shown_command(words: tuple[str, ...]) -> str:
    return safe_line(shlex.join(words))[:60]
