"""What a phase did, in one sentence, from facts only."""

from __future__ import annotations

from collections.abc import Callable
from posixpath import commonprefix

from oh_tui.text.human import plural
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.findings.phases.work import MOST_NAMES, Change, Counts, Facts, Name
from oh_tui.trajectory.reading.test_results import RunOfTests

_LONGEST_NAME = 40


def sentence(name: Name, facts: Facts) -> str:
    """Clean, redacted, on one line, without a full stop."""
    until = _until(facts) if name is Name.DEBUG else ""
    if until:
        parts = [until, *_committed(facts)]
    else:
        lead = _LEADS[name]
        others = (one for one in (_changed, _installed, _tests, _committed) if one is not lead)
        parts = [part for one in (lead, *others) for part in one(facts)]
    if facts.failed:
        parts.append(f"{plural(facts.failed, 'call')} failed")
    silent = "what was done is not known" if facts.unknown else _SILENT[name]
    return ", ".join(parts) or silent


def _times(count: int) -> str:
    return "" if count == 1 else f" {count:,} times"


def _changed(facts: Facts) -> list[str]:
    """`edited parse.py 4 times`, `created 3 files`, `deleted 364 files in tests`."""
    return [_files(change, names) for change, names in facts.changed.items() if names]


def _files(change: Change, names: Counts) -> str:
    if len(names) == 1:
        (path, count), *_ = names.items()
        return f"{change} {_file(path)}{_times(count)}"
    folders = [path.split("/")[:-1] for path in names]
    where = "/".join(commonprefix(folders)) if len(folders) >= _MANY else ""
    return f"{change} {_count(names)} files{f' in {_file(where)}' if where else ''}"


_MANY = 10
"""Files from which on their folder is named."""


def _count(names: Counts) -> str:
    return f"{len(names):,}" if len(names) < MOST_NAMES else f"{MOST_NAMES:,} or more"


def _file(path: str) -> str:
    return safe_line(path.rstrip("/").rpartition("/")[2] or path, _LONGEST_NAME)


def _of_tests(tests: RunOfTests) -> str:
    """`45 tests passed`, `2 tests failed and 43 passed`, `4 errors`."""
    if tests.ok:
        return f"{plural(tests.passed, 'test')} passed" if tests.passed else "tests passed"
    bad = [f"{plural(tests.failed, 'test')} failed"] if tests.failed else []
    bad += [plural(tests.errors, "error")] if tests.errors else []
    passed = f" and {tests.passed:,} passed" if tests.passed else ""
    return f"{', '.join(bad)}{passed}" if bad else "tests failed"


def _tests(facts: Facts) -> list[str]:
    last = facts.last_test
    if last is None:
        return []
    if last.ok is None:
        failed = f", {facts.tests_failed:,} of them failed" if facts.tests_failed else ""
        return [f"ran tests{_times(facts.tests)}{failed}"]
    which = "" if facts.tests == 1 else f" in the last of {facts.tests:,} test runs"
    return [_of_tests(last) + which]


def _until(facts: Facts) -> str:
    """`edited parse.py 4 times until 45 tests passed`; "" where the last tests did not pass."""
    last, did = facts.last_test, _changed(facts) or _installed(facts)
    if last is None or not last.ok or not did:
        return ""
    return f"{', '.join(did)} until {_of_tests(last)}"


def _installed(facts: Facts) -> list[str]:
    """`installed httpx`, `installed 3 packages`; of a file of requirements none is named."""
    if len(facts.packages) == 1:
        return [f"installed {safe_line(next(iter(facts.packages)), _LONGEST_NAME)}"]
    if facts.packages:
        return [f"installed {_count(facts.packages)} packages"]
    return ["installed packages"] if facts.installs else []


def _looked(facts: Facts) -> list[str]:
    rest, parts = facts.works[Name.LOOK] - facts.read.total(), []
    if len(facts.read) == 1:
        parts.append(f"read {_file(next(iter(facts.read)))}")
    elif facts.read:
        parts.append(f"read {_count(facts.read)} files")
    return parts + ([f"looked around{_times(rest)}"] if rest > 0 else [])


def _ran(facts: Facts) -> list[str]:
    programs = facts.programs
    if len(programs) == 1 and programs.total() == facts.works[Name.RUN]:
        return [
            f"ran {safe_line(next(iter(programs)), _LONGEST_NAME)}{_times(facts.works[Name.RUN])}"
        ]
    return [f"made {plural(facts.works[Name.RUN], 'call')}"] if facts.works[Name.RUN] else []


def _committed(facts: Facts) -> list[str]:
    parts = [f"committed{_times(facts.commits)}"] if facts.commits else []
    return parts + ([f"pushed{_times(facts.pushes)}"] if facts.pushes else [])


_LEADS: dict[Name, Callable[[Facts], list[str]]] = {
    Name.LOOK: _looked,
    Name.PLAN: lambda facts: ["planned"],
    Name.EDIT: _changed,
    Name.TEST: _tests,
    Name.DEBUG: _changed,
    Name.INSTALL: _installed,
    Name.COMMIT: _committed,
    Name.RUN: _ran,
    Name.WAIT: lambda facts: ["waited"],
    Name.ANSWER: lambda facts: [f"answered{_times(facts.works[Name.ANSWER])}"],
    Name.ASK: lambda facts: ["you wrote"] if facts.messages else [],
}

_SILENT = {
    Name.LOOK: "looked around", Name.PLAN: "planned", Name.EDIT: "edited nothing",
    Name.TEST: "ran no tests", Name.DEBUG: "tests failed", Name.INSTALL: "installed nothing",
    Name.COMMIT: "committed nothing", Name.RUN: "ran nothing", Name.WAIT: "waited",
    Name.ANSWER: "answered", Name.ASK: "nothing was done",
}  # fmt: skip
"""Where no fact is known."""
