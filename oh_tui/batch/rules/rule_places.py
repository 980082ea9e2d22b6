"""Where rules come from: oh-tui itself, the user's own file, that of a repository, and others that
are named. A later one replaces one of the same name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from oh_tui.batch.rules import agreed
from oh_tui.batch.rules.rule import Rule
from oh_tui.batch.rules.rules_file import RulesOfFile, parse_rules
from oh_tui.settings.paths import config_file
from oh_tui.settings.toml_file import Fault, faulty
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

OWN = "rules.toml"
"""Beside the settings file."""


class Rules(NamedTuple):
    """The rules in force, in the order in which they were found."""

    rules: Sequence[Rule]
    of_repository: Path | None = None
    """The file of the repository whose rules are among them."""
    faults: str = ""
    """Why a file with rules cannot be used; then the rules are those of oh-tui alone."""
    hint: str = ""


def builtin_rules() -> list[Rule]:
    text = files("oh_tui.batch.rules").joinpath("builtin.toml").read_text("utf-8")
    return parse_rules(text).rules


def rules_in_force(
    environment: Mapping[str, str], here: Path | None, named: Sequence[Path] = ()
) -> Rules:
    """The rules of oh-tui, of the user, of the repository that a folder is in, and of named files.
    Raises Problem for a file that cannot be read or has faults, and NotAgreed for one of the
    repository that the user has neither named nor agreed to: its rules are never left out in
    silence."""
    found: dict[str, Rule] = {rule.name: rule for rule in builtin_rules()}
    settings, _ = config_file(environment)
    own = settings.with_name(OWN) if settings else None
    repository = agreed.of_repository(here)
    is_named = repository is not None and any(map(repository.samefile, filter(Path.exists, named)))
    if not is_named and (refusal := agreed.not_agreed(environment, repository)):
        raise refusal
    for file in (own if own and own.is_file() else None, repository, *named):
        if file is not None:
            _add(found, _read(file), file)
    return Rules(list(found.values()), repository)


def _add(found: dict[str, Rule], read: RulesOfFile, file: Path) -> None:
    found |= {rule.name: rule for rule in read.rules}
    for name, line in read.off.items():
        if found.pop(name, None) is None:
            raise _faulty(file, [Fault(line, f"there is no rule {name} to switch off")])


def _read(file: Path) -> RulesOfFile:
    if (found := parse_rules(agreed.read_rules(file), str(file))).faults:
        raise _faulty(file, found.faults)
    return found


def _faulty(file: Path, faults: Sequence[Fault]) -> Problem:
    what = f"The file with rules {safe_line(str(file))}"
    return faulty(what, faults, 5, ["docs/rules.md tells what a rule has"])
