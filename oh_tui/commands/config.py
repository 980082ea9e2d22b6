"""`oh-tui config`: the settings file, a first one, what is wrong with it; schemas of documents."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from oh_tui.batch.rules import agreed
from oh_tui.catalog.attributes import ORDERS
from oh_tui.commands.framework.acting import require_consent
from oh_tui.commands.framework.command import Call, argument, command, flag, path_of
from oh_tui.commands.framework.printing import print_json
from oh_tui.documents.schema import TYPES, schema_of
from oh_tui.settings.config import parse_config, read_config_file
from oh_tui.settings.paths import config_file, make_private, state_file, tilde
from oh_tui.settings.preferences import Preferences
from oh_tui.settings.startup import before_file
from oh_tui.settings.toml_file import Fault
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import say

FAULTY = 2
"""Exit code of a file with faults, as of every other command that reads it."""

FIRST = f"""\
# Settings of oh-tui. Every line is optional; `oh-tui config check` says what is wrong with one.

# default = "work"                  # the server to open; without it, OpenHands Cloud, or Canvas
# theme = "oh-dark"                 # oh-light, ansi, or one of Textual's, such as nord
# sort = "needs"                    # {", ".join([*ORDERS][1:])}
# mouse = true                      # false leaves the mouse to the terminal
# ascii = false                     # true draws with ASCII characters alone
# download_folder = "~/runs"        # else the folder oh-tui was started in
# refresh = 15                      # seconds between two readings of the lists
# silent_after = 10                 # minutes without an event until a run that works is silent
# notice = "bell"                   # or osc9, or a command: when a run waits, failed or finished
# read_only = false                 # true refuses whatever changes a server
# budget = 5.00                     # dollars: a run that has cost more is stopped, after a question

# [servers.work]
# url = "https://openhands.example.org"
# key_command = "pass show openhands"   # or key_env = "WORK_KEY", or key_file = "~/.keys/work"
# auth = "bearer"                       # or session; without it, oh-tui finds out
# headers = {{X-Team = "env:TEAM"}}       # for a gateway before it: env:NAME or command:WORDS
# kind = "app"                          # or agent; without it, oh-tui finds out
# read_only = true

# [keys]                                # ids with a dot in quotes
# quit = "Q"
# "find.next" = "n,f5"
"""
"""The file that `init` writes: nothing in it is in force."""


class Override(NamedTuple):
    """A setting of the file that is not in force, and what comes before it."""

    setting: str
    by: str


@command(
    "config",
    argument(
        "action", metavar="path|init|check|trust|schema", nargs="?",
        choices=("path", "init", "check", "trust", "schema"), default="path",
    ),
    argument(
        "of", metavar="FOLDER|COMMAND", nargs="?",
        help="whose repository trust asks for, or whose document schema describes",
    ),
    flag("--yes", about="trust without asking: you know what the file says"),
    examples={
        "config path": "where the settings file is, or would be",
        "config init": "write one with every setting in it, each as a comment",
        "config check": "all that is wrong with it; exit code 2 when something is",
        "config trust": "show the rules of the repository here, and ask whether they count",
        "config schema steps": "the JSON Schema of what oh-tui steps --json prints",
    },
    wants="nothing",
    reads_settings=False,
)  # fmt: skip
async def config(call: Call) -> int:
    if call.args.action == "trust":
        return _trust(call)
    if call.args.yes:
        raise Problem("--yes belongs to oh-tui config trust", "leave it out")
    if call.args.action == "schema":
        return _schema(call.args.of or "")
    if call.args.of:
        raise Problem(f"oh-tui config {call.args.action} takes no other word", "leave it out")
    file, _ = config_file(os.environ)
    if file is None:
        raise Problem("There is no home folder for a settings file", "set OH_TUI_CONFIG")
    match call.args.action:
        case "init":
            return _init(call, file)
        case "check":
            return _check(call, file)
    if call.as_json:
        print_json({"path": safe_line(str(file)), "exists": file.exists()})
    else:
        print(clean_line(str(file)))
    return 0


def _init(call: Call, file: Path) -> int:
    shown = tilde(file, os.environ)
    try:
        make_private(file.parent)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(FIRST)
    except FileExistsError:
        raise Refused(f"{shown} is there already", "oh-tui config check reads it") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise Refused(f"Could not write {shown}: {why}", "OH_TUI_CONFIG names another") from error
    if call.as_json:
        print_json({"path": safe_line(str(file)), "exists": True})
    else:
        print(f"wrote {shown}: every setting is a comment in it")
    return 0


def _trust(call: Call) -> int:
    """Until the user agrees to what it says, no command takes the rules of a repository."""
    folder = path_of(call.args.of or ".")
    file = agreed.of_repository(folder)
    if file is None:
        raise Problem(f"No repository with {agreed.OF_REPOSITORY} is at {safe_line(str(folder))}")
    asked = agreed.not_agreed(os.environ, file)
    if asked is not None:
        if not call.as_json:
            print(asked.text.rstrip("\n"), flush=True)
        stake = f"These rules of {safe_line(str(file))} will count, until the file changes"
        require_consent(call, stake, "--yes", refused="Nobody agreed: they do not count")
        asked.agree(os.environ)
    if call.as_json:
        print_json({"path": safe_line(str(file)), "exists": True})
    else:
        say(f"agreed: the rules of {safe_line(str(file))} count until it changes")
    return 0


def _schema(name: str) -> int:
    """Prints the schema of what a command prints with `--json`, always as JSON."""
    if name not in TYPES:
        raise Problem(f"No document is named {clean_line(name)[:60]}", f"one of {', '.join(TYPES)}")
    print_json(schema_of(name))
    return 0


def _check(call: Call, file: Path) -> int:
    faults: Sequence[Fault] = []
    overridden: list[Override] = []
    text = read_config_file(os.environ)
    if text is not None:
        assert call.explorer_names is not None
        _, faults = parse_config(text, call.explorer_names())
        overridden = [] if faults else _overridden(text, call)
    if call.as_json:
        print_json(
            {
                "path": safe_line(str(file)),
                "exists": text is not None,
                "faults": [{"line": one.line, "text": one.text} for one in faults],
                "overridden": [one._asdict() for one in overridden],
            }
        )
        return FAULTY if faults else 0
    shown = tilde(file, os.environ)
    if text is None:
        print(f"{shown} is not there: oh-tui config init writes it")
    elif faults:
        print(f"{shown} has {plural(len(faults), 'fault')}")
    else:
        print(f"{shown} is fine")
    for fault in faults:
        print(f"line {fault.line}: {fault.text}")
    for one in overridden:
        print(f"{one.setting} is not in force: {one.by} comes first")
    return FAULTY if faults else 0


def _overridden(text: str, call: Call) -> list[Override]:
    found = []
    written = tomllib.loads(text.removeprefix("\ufeff"))
    remembered = _remembered(written, call)
    for setting in written:
        by, _ = before_file(setting, vars(call.args), os.environ)
        if by := by or remembered.get(setting, ""):
            found.append(Override(setting, by))
    return found


def _remembered(written: Mapping[str, object], call: Call) -> dict[str, str]:
    """Setting -> what was chosen in the explorer in its place, in words."""
    kept = Preferences(None if call.args.no_state else state_file(os.environ, "preferences"))
    assert call.explorer_names is not None
    names = call.explorer_names()
    theme = kept.theme(names.themes, "")
    found = {}
    if theme not in ("", written.get("theme")):
        found["theme"] = f"{theme}, chosen in the explorer,"
    for server, choices in kept.chosen.servers.items():
        if choices.sort in names.orders and choices.sort != written.get("sort"):
            where = clean_line(server)
            found["sort"] = f"{choices.sort}, chosen in the explorer for {where},"
    return found
