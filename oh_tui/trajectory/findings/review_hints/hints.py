"""The steps of a run that are worth a look, and why: what they do, an output that is cut, and what
was before them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.changes.churn import Churn, EditSize
from oh_tui.trajectory.changes.touched_files import shown_path
from oh_tui.trajectory.findings.failure_signatures.call_signatures import call_signature
from oh_tui.trajectory.findings.review_hints.hint import Hint, Reason
from oh_tui.trajectory.model.bodies import CLIPPED, content_text
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import FAILED, Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.file_operations import may_touch
from oh_tui.trajectory.reading.intents import Intent
from oh_tui.trajectory.reading.known_intents import KnownIntents
from oh_tui.trajectory.reading.test_files import is_test
from oh_tui.trajectory.reading.write_targets import Target, Targets, working_folder
from oh_tui.trajectory.shell.purpose import Purpose


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_CI_FOLDERS = (
    ".github/workflows/", ".github/actions/", ".circleci/", ".buildkite/", ".gitlab/ci/",
    ".woodpecker/",
)  # fmt: skip

_CI = _names("""
    .gitlab-ci.yml .travis.yml .drone.yml .cirrus.yml .woodpecker.yml appveyor.yml Jenkinsfile
    azure-pipelines.yml bitbucket-pipelines.yml cloudbuild.yaml
""")

_LOCKS = _names("""
    *.lock bun.lockb go.sum go.work.sum gradle.lockfile npm-shrinkwrap.json package-lock.json
    packages.lock.json pnpm-lock.yaml uv.lock
""")

_CONFIG = _names("""
    .babelrc .dockerignore .editorconfig .env .env.* .eslintrc .eslintrc.* .flake8 .gitattributes
    .gitignore .gitmodules .npmrc .nvmrc .pre-commit-config.yaml .prettierrc .prettierrc.*
    .pylintrc .python-version .tool-versions CMakeLists.txt CODEOWNERS Cargo.toml Containerfile
    Dockerfile Dockerfile.* *.Dockerfile Gemfile Justfile Makefile Pipfile Procfile Vagrantfile
    *.gradle *.gradle.kts babel.config.* build.zig composer.json compose.yaml compose.yml
    constraints*.txt dependabot.yml docker-compose*.yaml docker-compose*.yml eslint.config.*
    go.mod go.work jest.config.* justfile makefile mypy.ini package.json pom.xml pyproject.toml
    pyrightconfig.json pytest.ini renovate.json requirements*.txt ruff.toml setup.cfg setup.py
    tox.ini tsconfig*.json tslint.json vite.config.* vitest.config.* webpack.config.*
""")


@lru_cache(maxsize=4096)
def kind_of(path: str) -> Hint | None:
    """What the file with this path is for, if it is one of these."""
    name = path.rpartition("/")[2]
    if any(f"/{folder}" in f"/{path}" for folder in _CI_FOLDERS) or name in _CI:
        return Hint.CI
    if any(_is_like(name, one) for one in _LOCKS):
        return Hint.LOCK
    return Hint.CONFIG if any(_is_like(name, one) for one in _CONFIG) else None


def _is_like(name: str, one: str) -> bool:
    """Whether a name is one that may have a `*`. `fnmatch` takes 5 ms to compile all of them."""
    start, star, end = one.partition("*")
    if not star:
        return name == one
    return len(name) >= len(start) + len(end) and name.startswith(start) and name.endswith(end)


LARGE = 200
"""Lines that a diff has at most, if it is not large."""

_NAMED = 3
"""Files that a reason names; the others are counted."""

_LINE = 120
"""Characters of a line of output in a reason."""

_WORDS = {
    Hint.CONFIG: "changes the configuration in {}",
    Hint.CI: "changes what CI runs in {}",
    Hint.LOCK: "changes the pinned packages in {}",
    Hint.DELETE: "deletes {}",
    Hint.MOVE: "moves {}",
}

_WRITES = {Purpose.EDIT: None, Purpose.DELETE: Hint.DELETE, Purpose.MOVE: Hint.MOVE}

_LOOKED_AT = frozenset({*_WRITES, Purpose.FORCE, Purpose.SUDO})

_ENDED = {
    Outcome.COMMAND_FAILED: "; the command failed",
    Outcome.ERROR: "; the call failed",
    Outcome.WAITING: "; it waits for confirmation",
    Outcome.RUNNING: "; it runs",
    Outcome.NO_RESULT: "; it has no result",
}
"""What is said of a call that may not have done what it asks for."""

_TEMPORARY = ("/tmp/", "/var/tmp/", "/dev/")


def by_acts(acts: Sequence[Intent], outcome: Outcome) -> Iterator[Reason]:
    purposes = {act.purpose for act in acts}
    if outcome is Outcome.REJECTED or _LOOKED_AT.isdisjoint(purposes):
        return
    named: dict[Hint, list[str]] = {}
    for act in acts:
        if act.purpose not in _WRITES:
            continue
        for path in act.paths:
            if path.startswith(_TEMPORARY):
                continue
            for hint in filter(None, (_WRITES[act.purpose], kind_of(path))):
                named.setdefault(hint, []).append(path)
    ended = _ENDED.get(outcome, "")
    for hint, paths in named.items():
        is_pair = hint is Hint.MOVE and len(paths) == 2
        names = " to ".join(map(shown_path, paths)) if is_pair else _listed(paths)
        yield Reason(hint, _WORDS[hint].format(names) + ended, tuple(paths))
    if Purpose.FORCE in purposes:
        yield Reason(Hint.FORCE, f"pushes by force{ended}")
    if Purpose.SUDO in purposes:
        yield Reason(Hint.SUDO, f"runs a command with sudo{ended}")


def by_tests(
    acts: Iterable[Intent], outcome: Outcome, failed: int, targets: Callable[[], Targets]
) -> Iterator[Reason]:
    """A reason by tests that are edited after those of a step failed, if they were there before."""
    edits = [act for act in acts if act.purpose is Purpose.EDIT and act.is_new is not True]
    tests = [path for act in edits for path in act.paths if is_test(path)]
    if not tests or outcome is Outcome.REJECTED:
        return
    writes = targets()
    if Target.OLD_TESTS in writes.known | writes.may_be:
        ended = _ENDED.get(outcome, "")
        does = "writes" if any(act.is_new is None for act in edits) else "edits"
        why = f"{does} {_listed(tests)} after tests failed in step {failed}{ended}"
        yield Reason(Hint.TEST_EDIT, why, tuple(tests))


def by_sizes(sizes: Iterable[EditSize]) -> Iterator[Reason]:
    sizes = list(sizes)
    changed = sum(size.changed for size in sizes)
    if changed > LARGE:
        paths = [size.path for size in sizes]
        why = f"changes {changed:,} lines of {_listed(paths)}, over {LARGE}"
        yield Reason(Hint.LARGE_DIFF, why, tuple(paths))
    for size in sizes:
        if size.again:
            lines = plural(size.again, "line")
            where = shown_path(size.path)
            why = f"rewrites {lines} of {where} again, {size.times} times by now"
            yield Reason(Hint.REWRITE, why, (size.path,))


def _listed(paths: list[str]) -> str:
    paths = list(dict.fromkeys(map(shown_path, paths)))
    more = len(paths) - _NAMED
    return ", ".join(paths[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


# an output that is cut

_CUT, _CUT_ESCAPED = CLIPPED.encode(), b"\\u003cresponse clipped"

_BESIDE = 4_000
"""Characters on each side of the cut in which an error is looked for."""

_LINES = 5
"""And whole lines."""

_ERROR = pattern(
    r"(?:^|[\s:])(?:Traceback \(most recent call last\)|\w{0,80}(?:Error|Exception)\b"
    r"|(?:fatal|error|ERROR)(?:\[\w{1,20}\])?:|FAILED\b|panicked at\b)"
)


def by_output(step: Step, outcome: Outcome) -> Iterator[Reason]:
    """A reason by an output of which a part is missing, where an error is."""
    result = step.result
    if result is None:
        return
    raw = result.raw()
    if _CUT not in raw and _CUT_ESCAPED not in raw:
        return
    before, cut, after = content_text(result.body()).partition(CLIPPED)
    if not cut:
        return
    if outcome in (Outcome.ERROR, Outcome.COMMAND_FAILED):
        yield Reason(Hint.CUT_ERROR, "failed, and a part of its output is cut out")
        return
    # a line that is cut has lost what tells a secret in it
    head = f"\n{before}"[-_BESIDE:].split("\n")[1:-1]
    tail = f"{after}\n"[:_BESIDE].split("\n")[1:-1]
    error = next((line for line in head[-_LINES:] + tail[:_LINES] if _ERROR.search(line)), "")
    if error:
        text = safe_line(safe(error).strip())[:_LINE]
        yield Reason(Hint.CUT_ERROR, f"its output is cut beside an error: {text}")


_LATE = 256
"""So many steps behind it, an open call is taken for one that never ends."""

_NO_WORK = frozenset({Purpose.LOOK, Purpose.PLAN, Purpose.WAIT, Purpose.TEST, Purpose.LINT})
"""What changes nothing, so that a call that failed fails again."""

_DID_NOTHING = frozenset({Outcome.ERROR, Outcome.REJECTED, Outcome.WAITING})
"""A command that failed may have done a part of its work."""


@dataclass
class _Before:
    """What counts of the steps before one."""

    read: int = 0
    """How many they are."""
    failed: dict[bytes, int] = field(default_factory=dict)
    """Calls that failed since work was last done, and the numbers of their steps."""
    tests_failed: int = 0
    """The number of the last step that ran tests, if they failed; else 0."""


class ReviewHints:
    """What is worth a look in a growing run. Steps are read in order when one of them or of those
    behind it is asked for; with news again from the first call that had not ended."""

    def __init__(
        self,
        trajectory: Trajectory,
        churn: Churn,
        acts: KnownIntents,
        targets: Callable[[Step], Targets],
    ) -> None:
        self.trajectory, self.churn, self._acts, self._targets = trajectory, churn, acts, targets
        self._one = threading.Lock()
        """Rules with `look:` ask in a thread."""
        self._begin()

    def _begin(self) -> None:
        self._before = _Before()
        """The next step."""
        self._first_open: _Before | None = None
        """The first call that had not ended."""
        self._reasons: dict[int, tuple[Reason, ...]] = {}
        """By the number of the step."""
        self._state: tuple[object, ...] = ()
        self._seen = 0
        self._folder: str | None = None

    def of(self, step: Step) -> tuple[Reason, ...]:
        """Why a step is worth a look; empty if it is not."""
        self._read_to(step.number)
        return self._reasons.get(step.number, ())

    def known(self, step: Step) -> tuple[Reason, ...]:
        """As `of`, but empty for a step that is not read yet: reads nothing."""
        is_read = self._state[1:2] == (self.trajectory.numberings,)
        return self._reasons.get(step.number, ()) if is_read else ()

    def update(self, budget: float) -> bool:
        """Reads steps for so many seconds; False means that there is more to read."""
        return self._read_to(len(self.trajectory.steps), time.monotonic() + budget)

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps were read, of how many."""
        return self._before.read, len(self.trajectory.steps)

    def __iter__(self) -> Iterator[tuple[Step, tuple[Reason, ...]]]:
        """The steps that are worth a look, in order."""
        for step in self.trajectory.steps:
            if reasons := self.of(step):
                yield step, reasons

    def _read_to(self, number: int, end: float | None = None) -> bool:
        """Reads the steps up to one; False if the monotonic clock passed `end` before."""
        with self._one:
            self._take_news()
            while self._before.read < number:
                if end is not None and time.monotonic() > end:
                    return False
                self._read_next()
            return True

    def _take_news(self) -> None:
        run = self.trajectory
        state = (len(run.events), run.numberings, run.status, run.live)
        if state == self._state:
            return
        if self._state[1:2] != (run.numberings,) or self._is_late(run.events[self._seen :]):
            self._begin()
        if self._first_open is not None:
            self._before, self._first_open = self._first_open, None
        self._state, self._seen = state, len(run.events)

    def _is_late(self, events: list[Event]) -> bool:
        """Whether one of these is a result of a step that was read as one that had ended."""
        ended = (self._first_open or self._before).read
        for event in events:
            step = self.trajectory.step_of(event.id)
            if step and step.event is not event and step.number <= ended:
                return True
        return False

    def _read_next(self) -> None:
        before, steps = self._before, self.trajectory.steps
        step = steps[before.read]
        if self._first_open is None and step.is_open and len(steps) - step.number <= _LATE:
            self._first_open = replace(before, failed=dict(before.failed))
        before.read += 1
        found: list[Reason] = []
        if step.is_call:
            found = sorted(self._reasons_of(step, before), key=lambda one: _ORDER[one.hint])
        elif step.event.is_by_user:
            before.failed.clear()  # who asks for more has seen what failed
        if found:
            self._reasons[step.number] = tuple(found)
        else:
            self._reasons.pop(step.number, None)

    def _reasons_of(self, step: Step, before: _Before) -> Iterator[Reason]:
        outcome = self.trajectory.outcome(step)
        done, has_failed = self._acts.of(step), outcome in FAILED
        is_touch = may_touch(step.event)
        if is_touch:
            yield from by_sizes(self.churn.of_step(step))
        if not (is_touch and has_failed):
            yield from by_acts(done, outcome)
            if before.tests_failed:
                yield from by_tests(done, outcome, before.tests_failed, lambda: self._targets(step))
        yield from by_output(step, outcome)
        if has_failed or before.failed:
            if self._folder is None:
                self._folder = working_folder(self.trajectory)
            call = call_signature(step, self._folder).exact
            if first := before.failed.get(call):
                why = f"the call of step {first} again, which failed; no work between"
                yield Reason(Hint.RETRY, why)
            if outcome not in _DID_NOTHING and any(one.purpose not in _NO_WORK for one in done):
                before.failed.clear()
            if has_failed:
                before.failed[call] = step.number
        tests = self._acts.tests(step)
        if tests and tests.ok is not None:
            before.tests_failed = 0 if tests.ok else step.number


_ORDER = {hint: place for place, hint in enumerate(Hint)}
