"""Finds keys in the environment, a file, the output of a command, or the OpenHands CLI's folder."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from oh_tui.api.models import CLOUD
from oh_tui.settings.config import Header, ServerEntry
from oh_tui.settings.paths import expanded, read_small, read_text, tilde, under_home
from oh_tui.text.problem import Problem
from oh_tui.text.redact import Secret, held, hold, safe_line

STORED_KEY = Path(".openhands", "cloud", "api_key.txt")
"""Where the OpenHands CLI keeps the key after `openhands login`, relative to the home folder."""

PATIENCE = 10.0
"""Seconds that a command may take to print a key."""

MAX_OUTPUT = 1 << 20
MAX_ERRORS = 1 << 16
"""Bytes that are read of its output, and bytes that are kept of the end of its errors."""

Found = tuple[Secret | None, str, tuple[str, ...]]
"""A key, its origin in words, and cautions to show."""

VARIABLES = ("OPENHANDS_CLOUD_API_KEY", "OPENHANDS_API_KEY")

_key_variables = {*VARIABLES, "LOCAL_BACKEND_API_KEY"}
"""Variables that may hold a key, including those that the settings name."""


def hold_keys(environment: Mapping[str, str], servers: Iterable[ServerEntry]) -> None:
    """Hide all keys of the environment, even unused ones: the runs of this machine had the same
    environment and may have printed them."""
    for server in servers:
        _key_variables.update((server.key_env, *(one.variable for one in server.headers)))
    for name in _key_variables:
        _hold_words(environment.get(name, ""))


def _hold_words(text: str) -> None:
    """Hide a value of a header such as `Bearer …` or `a=…; b=…`, and each word of it."""
    for word in (text.strip(), *re.split(r"[\s;,]+", text)):
        hold(word)
        hold(word.partition("=")[2])


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that needs no key, such as the browser: without any variable
    that contains one. A key command gets all variables, because it may need another secret."""
    keys = held()
    return {
        name: value
        for name, value in environment.items()
        if name not in _key_variables and not any(key in value for key in keys)
    }


def named_key(server: ServerEntry, environment: Mapping[str, str]) -> Found:
    """The key of a server whose entry says where it is. Raises Problem when it is not there."""
    if server.key_command:
        # not shortened: once fetched, the key is hidden wherever it stands in the command
        return None, f"the command {safe_line(shlex.join(server.key_command))}", ()
    if server.key_env:
        written = environment.get(server.key_env, "").strip()
        if not written:
            raise Problem(
                f"The key of {server.name} should be in {server.key_env}, which is not set",
                f"set it, or change key_env of [servers.{server.name}]",
            )
        return secret_of(written, server.key_env), server.key_env, ()
    file = expanded(server.key_file, environment)
    shown = tilde(file, environment)
    hint = f"change key_file of [servers.{server.name}]"
    written = read_text(file, f"The key of {server.name} in {shown}", hint).strip()
    if not written:
        raise Problem(f"The key file {shown} is empty", "put the key into it, and nothing else")
    return secret_of(written, shown), f"the file {shown}", caution_of(file, shown)


def find_key(environment: Mapping[str, str], base_url: str) -> Found:
    """The key for a server that is known by its address only."""
    # Cloud gets the key named after it first. Other servers get the general key first, so that a
    # Cloud key for other tools is not sent there when a key for them is set too.
    for name in VARIABLES if base_url == CLOUD else reversed(VARIABLES):
        key = environment.get(name, "").strip()
        if key:
            return secret_of(key, name), name, ()
    # The stored key comes from Cloud and goes to no other server.
    file = under_home(environment, STORED_KEY)
    if base_url == CLOUD and file:
        shown = f"~/{STORED_KEY}"
        try:
            key, caution = read_small(file).decode("utf-8").strip(), caution_of(file, shown)
        except (OSError, UnicodeDecodeError):
            return None, "", ()
        if key:
            caution = caution or (f"using the key that the OpenHands CLI keeps in {shown}",)
            return secret_of(key, shown), f"the OpenHands CLI ({shown})", caution
    return None, "", ()


def caution_of(file: Path, shown: str) -> tuple[str, ...]:
    """What to say of a key file that others can read, too."""
    with contextlib.suppress(OSError):
        if file.stat().st_mode & 0o077:
            return (f"others can read the key in {shown}: chmod 600 {shown}",)
    return ()


def command_key(words: tuple[str, ...]) -> Secret:
    """The key that a command prints. Takes up to PATIENCE. Raises Problem when it prints none."""
    key, name = _printed(words, "key", "key_command")
    return secret_of(key, f"the output of {name}")


def header_values(
    headers: Iterable[Header], environment: Mapping[str, str]
) -> Mapping[str, Secret]:
    """The values of headers by their names. Takes up to PATIENCE for each command: call it in a
    thread. Raises Problem, which names a header and not its value."""
    found = {}
    for name, variable, command in headers:
        value = environment.get(variable, "").strip()
        if command:
            value, _ = _printed(command, "value", f"{name} of headers")
        elif not value:
            raise Problem(
                f"The header {name} should be in {variable}, which is not set",
                "set it, or change headers of the server in the settings file",
            )
        _hold_words(value)
        if not value.isascii() or not value.isprintable():
            raise Problem(
                f"The value of the header {name} has characters that no header can have",
                "it is one line of plain ASCII",
            )
        found[name] = Secret(value)
    return found


def _printed(words: tuple[str, ...], what: str, setting: str) -> tuple[str, str]:
    """What a command printed, and the command in words."""
    name = safe_line(shlex.join(words))[:60]
    text = _output(words, name, what, f"{setting} in the settings file; try it in a shell").strip()
    if not text:
        raise Problem(f"{name} printed no {what}", f"it has to print the {what}, and nothing else")
    return text, name


def secret_of(key: str, origin: str) -> Secret:
    """The key, from where `origin` says. Raises Problem for one that no header can carry."""
    # Other keys break the header they are sent in, with an error that may show them.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Problem(
            f"The key in {origin} has characters that cannot be in a key",
            "copy it again, without quotes, spaces or line breaks",
        )
    return Secret(key)


def _output(words: tuple[str, ...], shown: str, what: str, hint: str) -> str:
    """The output of a command, run without a shell, without a terminal, and in a session of its
    own, so that the processes it started end with it."""
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Problem(f"{shown} cannot be started: {why.lower()}", hint) from error
    try:
        output, errors = _read(process)
    except subprocess.TimeoutExpired as error:
        raise Problem(f"{shown} printed no {what} within {PATIENCE:.0f} s", hint) from error
    finally:
        # also after its end: processes that it left running are in its group
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
    if len(output) > MAX_OUTPUT:
        raise Problem(f"{shown} printed more than {MAX_OUTPUT >> 20} MiB", hint)
    if process.returncode:
        lines = errors.decode("utf-8", "replace").strip().splitlines()
        last = f": {safe_line(lines[-1])[:200]}" if lines else ""
        raise Problem(f"{shown} ended with code {process.returncode}{last}", hint)
    return output.decode("utf-8", "replace")


def _read(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """The output of a process until its end, up to a little more than MAX_OUTPUT bytes, and the end
    of its errors. Raises TimeoutExpired after PATIENCE."""
    assert process.stdout and process.stderr
    streams = [process.stdout, process.stderr]
    found = {stream: bytearray() for stream in streams}
    end = time.monotonic() + PATIENCE
    while streams and len(found[process.stdout]) <= MAX_OUTPUT:
        # a process that it started may keep the streams open
        ended = process.poll() is not None
        ready = select.select(streams, [], [], 0 if ended else 0.05)[0]
        for stream in ready:
            piece = os.read(stream.fileno(), 1 << 16)
            found[stream] += piece
            if not piece:
                streams.remove(stream)
        del found[process.stderr][:-MAX_ERRORS]
        late = time.monotonic() > end
        if ended and (late or not ready):
            break
        if late:
            process.wait(0.0)
    if not streams:  # it may have closed them early
        process.wait(max(0.0, end - time.monotonic()))
    return bytes(found[process.stdout]), bytes(found[process.stderr])
