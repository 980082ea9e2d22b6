"""Sets up what `make test-live` needs: real OpenHands programs, each in its own venv, and tmux and
chromium.

Safe to run again at any time: it does only what is missing. The venvs live in the user's cache
folder, so that a fresh clone need not install them again. One line on standard output names what is
unavailable here. Exit codes: 0 ready, if without one of the other versions; 75 without the app
server, so that there is nothing to test with; 2 wrong use.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

CANNOT = 75
"""EX_TEMPFAIL of sysexits.h: not a failed test, but nothing to test with."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oh-tui-live"
LOG = CACHE / "setup.log"


@dataclass(frozen=True)
class Program:
    """An OpenHands program with a venv of its own."""

    name: str
    venv: Path
    packages: tuple[str, ...]
    modules: str
    """Modules imported once to check the installation."""
    cost: str
    pythons: tuple[str, ...] = ("3.12", "3.13")
    """The supported versions of Python."""

    @property
    def python(self) -> str:
        return str(self.venv / "bin" / "python")

    @property
    def stamp(self) -> Path:
        """Exists only when everything has been installed and imported once."""
        return self.venv / "ready"


def agent_server(version: str, *more: str) -> Program:
    parts = [f"openhands-{part}=={version}" for part in ("agent-server", "sdk", "tools")]
    return Program(
        f"agent server {version}",
        CACHE / f"venv-agent-{version}",
        (*parts, *more),
        "openhands.agent_server.api, openhands.tools",
        "0.7 GB and 1 minute",
    )


def automations(version: str) -> Program:
    """An automation server. Its runs want `uv` on the PATH of the agent server beside it."""
    return Program(
        f"automation server {version}",
        CACHE / f"venv-automation-{version}",
        (f"openhands-automation=={version}", "uv"),
        "openhands.automation, uvicorn, uv",
        "0.7 GB and 1 minute",
        ("3.13", "3.12"),
    )


def sdk(version: str) -> Program:
    """An SDK without a server: it tells what messages its version makes of events."""
    return Program(
        f"SDK {version}",
        CACHE / f"venv-sdk-{version}",
        tuple(f"openhands-{part}=={version}" for part in ("sdk", "tools")),
        "openhands.sdk, openhands.tools",
        "0.6 GB and 1 minute",
    )


APP_SERVER = Program(
    "openhands-ai 1.11.0",
    CACHE / "venv-1.11.0",
    ("openhands-ai==1.11.0",),
    "openhands.app_server.app, openhands.agent_server.api, openhands.tools, uvicorn",
    "1.4 GB and 3 minutes",
)
"""Includes agent server 1.34.0."""

OTHERS = (
    agent_server("1.17.0", "fastapi==0.118.0"),  # with a newer one it does not start
    # its forks take all of a run; newer parts of OpenTelemetry keep pip from an answer
    agent_server("1.30.0", "opentelemetry-sdk==1.39.1", "opentelemetry-instrumentation==0.60b1"),
    # what Canvas 1.20.0 pins; with a newer litellm each answer with cached tokens ends in an error
    agent_server("1.49.1", "litellm<1.106"),
    agent_server("1.58.2"),
    automations("1.13.1"),  # what Canvas 1.20.0 pins
    automations("1.26.0"),
    Program(
        "OpenHands CLI 1.16.0",
        CACHE / "venv-cli-1.16.0",
        ("openhands==1.16.0",),
        "openhands_cli",
        "0.7 GB and 1 minute",
        ("3.12",),
    ),
    *map(sdk, ("1.9.1", "1.25.0", "1.26.0")),  # before and after the rules of messages changed
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class CannotSetUpError(Exception):
    """A requirement is missing on this machine."""


def main() -> int:
    if len(sys.argv) > 1:
        print("usage: live_setup.py (no arguments)", file=sys.stderr)
        return 2
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        with LOG.open("a") as log, (CACHE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            install_programs(log)
            install(APP_SERVER, log)
            for other in OTHERS:
                try:
                    install(other, log)
                except CannotSetUpError as error:
                    print(f"live tests of {other.name} skipped: {error}")
    except (CannotSetUpError, OSError) as error:
        print(f"live tests skipped: {error}")
        return CANNOT
    return 0


def install_programs(log: TextIO) -> None:
    """Install tmux for the terminals of sandboxes, and a browser for the default tools."""
    missing = [] if shutil.which("tmux") else ["tmux"]
    if not any(map(shutil.which, BROWSERS)):
        missing.append("chromium")
    if missing and not apt_install(missing, log):
        raise CannotSetUpError(f"{' and '.join(missing)} not found, and not installable here")


def install(program: Program, log: TextIO) -> None:
    """Raises CannotSetUpError."""
    if program.stamp.exists() and run([program.python, "-c", ""], log):
        return
    if not run([program.python, "-m", "pip", "--version"], log):
        make_venv(program, log)
    say(f"installing {program.name}, about {program.cost}")
    # Complete a venv left by an interrupted run; if that fails, make it anew.
    if not (pip_install(program, log) and imports(program, log)):
        make_venv(program, log)
        if not pip_install(program, log):
            raise CannotSetUpError(f"{program.name} could not be installed, see {LOG}")
        if not imports(program, log):
            raise CannotSetUpError(f"{program.name} cannot be imported, see {LOG}")
    program.stamp.touch()


def make_venv(program: Program, log: TextIO) -> None:
    shutil.rmtree(program.venv, ignore_errors=True)
    for python in pythons(program.pythons, log):
        if run([python, "-m", "venv", str(program.venv)], log):
            return
        shutil.rmtree(program.venv, ignore_errors=True)
    # Debian ships Python without the modules that `python -m venv` needs.
    for version in program.pythons:
        python = f"/usr/bin/python{version}"
        if (
            Path(python).exists()
            and apt_install([f"python{version}-venv"], log)
            and run([python, "-m", "venv", str(program.venv)], log)
        ):
            return
    wanted = " or ".join(program.pythons)
    raise CannotSetUpError(f"no Python {wanted} that can make a venv was found")


def pythons(versions: tuple[str, ...], log: TextIO) -> Iterator[str]:
    """Working interpreters of a supported version, best first.

    A pyenv shim also exists for versions that are not enabled, and then fails: so each one is
    tried, and pyenv's own folder is searched too.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [sys.executable]
    for version in versions:
        candidates += filter(None, [shutil.which(f"python{version}")])
        candidates += map(str, sorted(pyenv.glob(f"{version}.*/bin/python{version}")))
        candidates.append(f"/usr/bin/python{version}")
    check = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] not in {versions})"
    for python in dict.fromkeys(candidates):
        if run([python, "-c", check], log):
            yield python


def pip_install(program: Program, log: TextIO) -> bool:
    command = [program.python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    return run([*command, *program.packages], log)


def imports(program: Program, log: TextIO) -> bool:
    with tempfile.TemporaryDirectory(prefix="oh-tui-live-") as folder:
        surroundings = {**os.environ, "OH_PERSISTENCE_DIR": folder, "HOME": folder}
        return run([program.python, "-c", f"import {program.modules}"], log, surroundings)


def apt_install(packages: list[str], log: TextIO) -> bool:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"installing {' '.join(packages)} with apt-get")
    surroundings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], log, surroundings)
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    return run(install, log, surroundings)


def run(command: list[str], log: TextIO, surroundings: dict[str, str] | None = None) -> bool:
    """Whether the command exists and succeeds; its output goes to the log."""
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
