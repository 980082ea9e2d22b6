"""Sets up what `make test-live` needs: the real OpenHands server in its own venv, chromium, tmux.

Safe to run again at any time: it does only what is missing. The venv lives in the user's cache
folder, so that a fresh clone need not install it again. Exit codes: 0 ready, 75 something cannot
be had here (one line on standard output says what), 2 wrong use.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

VERSION = "1.11.0"
PYTHONS = ("3.12", "3.13")
"""What openhands-ai 1.11.0 runs on."""
CANNOT = 75
"""EX_TEMPFAIL of sysexits.h: not a failed test, but nothing to test with."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oh-tui-live"
VENV = CACHE / f"venv-{VERSION}"
LOG = CACHE / "setup.log"
STAMP = VENV / "ready"
"""Exists only when everything in the venv was installed and has been imported once."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class CannotSetUpError(Exception):
    """Something is missing that this machine cannot give."""


def main() -> int:
    if len(sys.argv) > 1:
        print("usage: live_setup.py (no arguments)", file=sys.stderr)
        return 2
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        with LOG.open("a") as log, (CACHE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            install_programs(log)
            install_server(log)
    except (CannotSetUpError, OSError) as error:
        print(f"live tests skipped: {error}")
        return CANNOT
    return 0


def install_programs(log: TextIO) -> None:
    """The sandboxes run their terminals in tmux, and the default tools include a browser."""
    missing = [] if shutil.which("tmux") else ["tmux"]
    if not any(map(shutil.which, BROWSERS)):
        missing.append("chromium")
    if missing and not apt_install(missing, log):
        raise CannotSetUpError(f"{' and '.join(missing)} not found, and not installable here")


def install_server(log: TextIO) -> None:
    if STAMP.exists() and run([python_in(VENV), "-c", ""], log):
        return
    if not run([python_in(VENV), "-m", "pip", "--version"], log):
        make_venv(log)
    say(f"installing openhands-ai {VERSION}, about 1.4 GB and 3 minutes")
    # A venv that a broken-off run left behind is completed; if that fails, it is made anew.
    if not (pip_install(log) and server_imports(log)):
        make_venv(log)
        if not pip_install(log):
            raise CannotSetUpError(f"openhands-ai {VERSION} could not be installed, see {LOG}")
        if not server_imports(log):
            raise CannotSetUpError(f"openhands-ai {VERSION} cannot be imported, see {LOG}")
    STAMP.write_text(VERSION + "\n")


def make_venv(log: TextIO) -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    for python in pythons(log):
        if run([python, "-m", "venv", str(VENV)], log):
            return
        shutil.rmtree(VENV, ignore_errors=True)
    # Debian ships Python without what `python -m venv` needs.
    for version in PYTHONS:
        python = f"/usr/bin/python{version}"
        if (
            Path(python).exists()
            and apt_install([f"python{version}-venv"], log)
            and run([python, "-m", "venv", str(VENV)], log)
        ):
            return
    raise CannotSetUpError(f"no Python {' or '.join(PYTHONS)} that can make a venv was found")


def pythons(log: TextIO) -> Iterator[str]:
    """Interpreters of a fitting version that really run, best first.

    A pyenv shim is there for versions that are not switched on, and then fails: so each one is
    tried, and pyenv's own folder is searched too.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [sys.executable]
    for version in PYTHONS:
        candidates += filter(None, [shutil.which(f"python{version}")])
        candidates += map(str, sorted(pyenv.glob(f"{version}.*/bin/python{version}")))
        candidates.append(f"/usr/bin/python{version}")
    check = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] not in {PYTHONS})"
    for python in dict.fromkeys(candidates):
        if run([python, "-c", check], log):
            yield python


def pip_install(log: TextIO) -> bool:
    command = [python_in(VENV), "-m", "pip", "install", "--disable-pip-version-check"]
    return run([*command, "--quiet", f"openhands-ai=={VERSION}"], log)


def server_imports(log: TextIO) -> bool:
    with tempfile.TemporaryDirectory(prefix="oh-tui-live-") as folder:
        surroundings = {**os.environ, "OH_PERSISTENCE_DIR": folder, "HOME": folder}
        modules = "openhands.app_server.app, openhands.agent_server.api, openhands.tools, uvicorn"
        return run([python_in(VENV), "-c", f"import {modules}"], log, surroundings)


def apt_install(packages: list[str], log: TextIO) -> bool:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"installing {' '.join(packages)} with apt-get")
    surroundings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], log, surroundings)
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    return run(install, log, surroundings)


def python_in(venv: Path) -> str:
    return str(venv / "bin" / "python")


def run(command: list[str], log: TextIO, surroundings: dict[str, str] | None = None) -> bool:
    """Whether the command exists and succeeds; what it writes goes to the log."""
    print("$", *command, file=log, flush=True)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=surroundings, check=False
        )
    except OSError as error:
        print(error, file=log, flush=True)
        return False
    return done.returncode == 0


def say(line: str) -> None:
    print(f"live setup: {line} (log: {LOG})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
