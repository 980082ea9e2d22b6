"""The table of programs: what a simple command is for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.shell.git import git, git_words
from oh_tui.trajectory.shell.only_reads import PROGRAMS, PUT_IN
from oh_tui.trajectory.shell.purpose import (
    Check,
    Purpose,
    Words,
    by_word,
    plain,
    without_values,
)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TESTS = _names("""
    ava bats behave cypress ctest green jest karma mocha nose2 nosetests pest phpunit playwright
    prove py.test pytest rspec stestr tap trial vitest
""")
_LINTS = _names("""
    bandit basedpyright black biome clippy eslint flake8 gofmt goimports golangci-lint isort ktlint
    mypy phpcs phpstan pre-commit prettier pycodestyle pydocstyle pyflakes pylint pyright rubocop
    ruff rustfmt shellcheck shfmt standardrb staticcheck stylelint swiftlint ty vulture yamllint
""")
_BUILDS = _names("""
    cc clang clang++ cmake esbuild g++ gcc javac ld rollup rustc vite webpack
""")
INSTALLS = _names("add ci i in inst install install-dep sync update upgrade dist-upgrade")
_PACKAGES = _names("""
    apk apt apt-get brew bundle bun composer conda dnf gem hatch lerna mamba micromamba npm nx
    pacman pdm pip pip3 pipenv pipx pnpm poetry rye turbo uv yarn yum zypper
""")
_LISTS = _names(
    "check-update env freeze info list ls metadata outdated search show tree version view"
)
"""What package managers and compilers answer from what they have."""
_COMPILERS = _names("bazel cabal cargo dart dotnet flutter go lein meson mix stack swift")
_JVM = _names("gradle gradlew mvn mvnw sbt")
_LOOKS = _names("ack ag bat command egrep env exa eza fd less more")
_EDITS = _names("cp dd ed install ln patch tee touch truncate")
_CLIENTS = _names("aria2c curl ftp rsync scp sftp ssh wget")

_TEST_FILE = pattern(
    r"(?:.{0,200}/)?(?:test_[\w-]{0,80}|[\w-]{0,80}_test|run_?tests?|tests?)\.\w{1,5}"
)
_TEST_SCRIPT = pattern(r"(?:.{0,200}/)?(?:run[-_]?tests?|tests?|check)(?:\.sh)?")


_PLACES = ("-C", "-F", "-w", "--cwd", "--dir", "--directory", "--filter", "--prefix", "--workspace")
"""Options of package managers that name a folder or a package."""


def _first(words: Words) -> str:
    return next(plain(words), "")


def _package_manager(words: Words) -> Purpose | None:
    """`npm test`, `npm run lint`, `yarn jest`, `pip install x`, `uv pip install x`."""
    given = list(plain(without_values(words, _PLACES)))
    if given[:1] == ["workspace"]:
        given = given[2:]
    if given[:1] == ["run"] and len(given) == 1:
        return Purpose.LOOK  # lists the scripts
    if given[:1] in (["pip"], ["run"], ["run-script"], ["tool"]) and len(given) > 1:
        given = given[1:]
    word = given[0] if given else ""
    if word in ("download", "fetch"):
        return Purpose.NETWORK
    if word in INSTALLS:
        return Purpose.INSTALL
    if word in ("build", "compile"):
        return Purpose.BUILD
    if word in _LISTS:
        return Purpose.LOOK
    if word in _TESTS or word in _LINTS or word in _BUILDS:
        return OF_PROGRAMS[word](given[1:])
    if word == "check":  # that nothing conflicts
        return Purpose.LINT
    return by_word(word) or by_word(word.rpartition(":")[2]) or Purpose.RUN


def _yarn(words: Words) -> Purpose | None:
    """`yarn` and `bundle` install when nothing is said."""
    return _package_manager(words) if _first(words) else Purpose.INSTALL


def _compiled(words: Words) -> Purpose | None:
    """`cargo`, `go`, `dotnet`, `swift`, `zig`, `mix`: the first word tells."""
    given = [word for word in plain(words) if word[:1] != "+"]  # of rustup
    word = given[0] if given else ""
    if word == "mod":  # of go
        return Purpose.INSTALL if given[1:2] != ["graph"] else Purpose.LOOK
    if word == "nextest":
        return Purpose.LOOK if given[1:2] == ["list"] else Purpose.TEST
    if word in ("add", "get", "install", "restore", "deps.get"):
        return Purpose.INSTALL
    if word in ("analyze", "check", "clippy", "credo", "dialyzer", "vet"):
        return Purpose.LINT
    if word in ("run", "clean", "new", "init"):
        return Purpose.RUN
    if word == "fetch":
        return Purpose.NETWORK
    return Purpose.LOOK if word in _LISTS else by_word(word) or Purpose.BUILD


def _zig(words: Words) -> Purpose | None:
    """`zig build test`."""
    return Purpose.TEST if "test" in words[:2] else _compiled(words)


_JVM_TEST = pattern(r"(?:test(?!-?compile|-?classes)[\w-]{0,80}|\w{0,80}Tests?|check|verify)", re.I)


def _built(words: Words) -> Purpose | None:
    """`mvn`, `gradle`, `sbt`: of several tasks one that tests counts. Maven's `install` puts into
    the home what it has built."""
    tasks = [word.rpartition(":")[2].partition(" ")[0] for word in plain(words) if "=" not in word]
    skips = any(word.startswith(("-DskipTests", "-Dmaven.test.skip")) for word in words)
    if any(map(_JVM_TEST.fullmatch, tasks)) and not skips:
        return Purpose.TEST
    if any(by_word(task) is Purpose.LINT for task in tasks):
        return Purpose.LINT
    if tasks and tasks[0] in ("dependencies", "projects", "tasks", "tree"):
        return Purpose.LOOK
    return Purpose.RUN if tasks and tasks[-1] in ("bootRun", "clean", "run") else Purpose.BUILD


_DRY = _names("-n --dry-run --just-print --list -l --summary --tasks -T --list-all")
"""Options of those that run targets, with which they only tell of them."""


def _make(words: Words) -> Purpose | None:
    if not _DRY.isdisjoint(words):
        return Purpose.LOOK
    targets = plain(without_values(words, ("-C", "-f")))
    found = [by_word(word) for word in targets if "=" not in word]
    return next(filter(None, found), Purpose.BUILD)


def _python(words: Words) -> Purpose | None:
    if words[:1] == ["-m"] and len(words) > 1:
        module = words[1].partition(".")[0]
        if words[1] in ("unittest", "doctest", "nose"):
            return Purpose.TEST
        if words[1] == "build":
            return Purpose.BUILD
        is_python = OF_PROGRAMS.get(module) is _python
        return Purpose.RUN if is_python else purpose_of(module, words[2:])
    return _script(words)


def _script(words: Words) -> Purpose | None:
    """A file that is run: `test_x.py`, `manage.py test`."""
    given = list(plain(words))
    if not given:
        return Purpose.TEST if "--test" in words else Purpose.RUN
    name, rest = given[0], given[1:]
    is_manager = name.endswith(("artisan", "django-admin", "manage.py", "rails", "setup.py"))
    if is_manager and rest[:1] == ["check"]:  # of settings or metadata: no test runs
        return Purpose.LINT
    if is_manager and rest and by_word(rest[0]) is Purpose.TEST:
        return Purpose.TEST
    if name == "setup.py" and rest[:1] in (["install"], ["develop"]):
        return Purpose.INSTALL
    if name == "setup.py" and rest and rest[0].startswith(("build", "bdist", "sdist")):
        return Purpose.BUILD
    is_test = _TEST_FILE.fullmatch(name) or _TEST_SCRIPT.fullmatch(name) or "--test" in words
    return Purpose.TEST if is_test else Purpose.RUN


_COLLECTS = _names("--co --collect-only --list-tests --listTests --show-only --fixtures --markers")


def _test(words: Words) -> Purpose | None:
    """A test runner, unless it only tells which tests there are."""
    if words[:1] == ["install"]:  # the browsers of playwright
        return Purpose.INSTALL
    return Purpose.TEST if _COLLECTS.isdisjoint(words) else Purpose.LOOK


_SESSIONS = ("-e", "-s", "--env", "--session", "--sessions")


def _tox(words: Words) -> Purpose | None:
    """`tox`, `nox`: whatever the environments do that are named; without names, all."""
    if not {"-l", "--list", "--list-sessions", "-a", "--listenvs"}.isdisjoint(words) or (
        _first(words) in ("l", "list", "config", "c")
    ):
        return Purpose.LOOK
    values = [words[at + 1] for at, word in enumerate(words[:-1]) if word in _SESSIONS]
    values += [word[2:] for word in words if word[:2] in ("-e", "-s")]
    names = [name for value in values for name in value.split(",") if name]
    found = {_of_session(name) for name in names or [""]}
    return next((one for one in (Purpose.TEST, Purpose.LINT) if one in found), Purpose.BUILD)


def _of_session(name: str) -> Purpose:
    """`lint` and `mypy` check, `docs` builds; any other tests, such as `py311`."""
    if by_word(name) is Purpose.LINT or name in _LINTS:
        return Purpose.LINT
    return Purpose.BUILD if name in ("build", "doc", "docs") else Purpose.TEST


def _deno(words: Words) -> Purpose | None:
    """`deno test`, `deno task lint`, `deno run a.ts`, `deno a.ts`."""
    given = list(plain(words))
    word = given[0] if given else ""
    if word == "task":
        return (by_word(given[1]) or Purpose.RUN) if given[1:] else Purpose.LOOK
    if word in ("add", "cache", "i", "install"):
        return Purpose.INSTALL
    if word in ("bundle", "compile"):
        return Purpose.BUILD
    if word in ("bench", "eval", "repl", "run", "serve"):
        return Purpose.RUN
    if word in ("doc", "info", "outdated"):
        return Purpose.LOOK
    return Purpose.LINT if word == "check" else by_word(word) or _script(words)


def _bun(words: Words) -> Purpose | None:
    """A package manager that runs files too."""
    word = _first(words)
    return _script(words) if "." in word else _package_manager(words)


def _docker(words: Words) -> Purpose | None:
    """`docker build`, `docker compose logs`, `podman pull`, `kubectl get`."""
    given = list(plain(words))
    if given[:1] and given[0] in ("buildx", "compose", "container", "image"):
        given = given[1:]
    table = {"build": Purpose.BUILD, "pull": Purpose.NETWORK} | dict.fromkeys(
        ("config", "describe", "get", "images", "info", "inspect", "logs", "ls", "ps", "version"),
        Purpose.LOOK,
    )
    return table.get(given[0], Purpose.RUN) if given else Purpose.RUN


def _gh(words: Words) -> Purpose | None:
    return (
        Purpose.PUSH
        if list(plain(words))[:2] in (["pr", "create"], ["release", "create"])
        else Purpose.NETWORK
    )


_IN_PLACE = pattern(r"-[A-Za-z]{0,3}i|--in-place")


def _in_place(words: Words) -> bool:
    """`sed`, `perl`: with `-i` they write the file."""
    return any(map(_IN_PLACE.match, words))


def _always(purpose: Purpose | None) -> Check:
    return lambda words: purpose


def _lint(words: Words) -> Purpose | None:
    return Purpose.INSTALL if words[:1] == ["install"] else Purpose.LINT


_NOTHING = _names(
    """
    : [ [[ break cd continue declare echo eval exit export false kill local nohup popd printf pushd
    read return set setsid shift source stdbuf test true trap unset xargs
"""
)
"""For nothing by themselves, whatever they write to."""

OF_PROGRAMS: Mapping[str, Check] = {
    **dict.fromkeys(PROGRAMS, _always(Purpose.LOOK)),
    **dict.fromkeys(_NOTHING, _always(None)),
    **dict.fromkeys(_LOOKS, _always(Purpose.LOOK)),
    **dict.fromkeys(_TESTS, _test),
    **dict.fromkeys(_LINTS, _lint),
    **dict.fromkeys(_BUILDS, _always(Purpose.BUILD)),
    **dict.fromkeys(_PACKAGES, _package_manager),
    **dict.fromkeys(_CLIENTS, _always(Purpose.NETWORK)),
    **dict.fromkeys(_COMPILERS, _compiled),
    **dict.fromkeys(_JVM, _built),
    **dict.fromkeys(("yarn", "bundle"), _yarn),
    **dict.fromkeys(_EDITS, _always(Purpose.EDIT)),
    **dict.fromkeys(("rm", "rmdir", "shred", "unlink"), _always(Purpose.DELETE)),
    **dict.fromkeys(("bash", "sh", "zsh", "node", "ruby", "php", "rails"), _script),
    **dict.fromkeys(("python", "python2", "python3", "py"), _python),
    **dict.fromkeys(("gmake", "just", "make", "ninja", "rake", "task"), _make),
    **dict.fromkeys(("docker", "docker-compose", "kubectl", "podman"), _docker),
    **dict.fromkeys(("doas", "sudo"), _always(Purpose.SUDO)),
    **dict.fromkeys(("nox", "tox"), _tox),
    "bun": _bun,
    "ctest": lambda words: Purpose.LOOK if "-N" in words else _test(words),
    "deno": _deno,
    "find": lambda words: Purpose.DELETE if "-delete" in words else Purpose.LOOK,
    "gh": _gh,
    "git": git,
    "perl": lambda words: Purpose.EDIT if _in_place(words) else _script(words),
    "sed": lambda words: Purpose.EDIT if _in_place(words) else Purpose.LOOK,
    "mv": _always(Purpose.MOVE),
    "sleep": _always(Purpose.WAIT),
    "tsc": lambda words: Purpose.LINT if "--noEmit" in words else Purpose.BUILD,
    "zig": _zig,
    "wait": _always(Purpose.WAIT),
}  # fmt: skip


_VERSIONED = pattern(r"(python|pip)[\d.]{1,6}")


def program_name(word: str) -> str:
    """The name of a program in the table, whatever its folder and its version."""
    base = word.rpartition("/")[2]
    versioned = _VERSIONED.fullmatch(base)
    return versioned[1] if versioned else base


def purpose_of(name: str, words: Words) -> Purpose | None:
    """What a program is for with these words; RUN where it is not in the table."""
    if words[:1] in (["--version"], ["--help"], ["-V"]) or words in (["-h"], ["help"]):
        return Purpose.LOOK
    if check := OF_PROGRAMS.get(program_name(name)):
        return check(words)
    return _script([name, *words])


_WITH_COMMAND = (_package_manager, _yarn, _bun, _compiled, _make, _docker, _deno, _gh, _built, _zig)


_BEFORE_NAMES = _names("compose mod pip run run-script task tool")
"""Commands that do what the word after them says."""


def named(name: str, words: Words) -> str:
    """A program, with the word that tells which of its commands: `git push`, `python -m a`."""
    base = program_name(name)
    check = OF_PROGRAMS.get(base)
    if check is _python and words[:1] == ["-m"] and len(words) > 1:
        module = words[1].partition(".")[0]
        is_known = OF_PROGRAMS.get(module, _python) is not _python
        return named(module, words[2:]) if is_known else _shown(f"{base} -m {words[1]}")
    if check is git:
        command = git_words(words)[:1]
    elif check in _WITH_COMMAND:
        given = [w for w in plain(without_values(words, (*_PLACES, "-f"))) if w[:1] != "+"]
        command = given[: 2 if given[:1] and given[0] in _BEFORE_NAMES else 1]
    else:
        command = []
    return _shown(" ".join((base, *command)))


def _shown(name: str) -> str:
    """With a sign for what the shell puts in."""
    return name.replace(PUT_IN, "…")
