"""What a step by itself is worth a look for: what it does, and an output that is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.changes.churn import EditSize
from oh_tui.trajectory.changes.touched_files import shown_path
from oh_tui.trajectory.findings.review_hints.hint import Hint, Reason
from oh_tui.trajectory.model.bodies import CLIPPED, content_text
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.reading.intents import Intent
from oh_tui.trajectory.reading.test_files import is_test
from oh_tui.trajectory.reading.write_targets import Target, Targets
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
