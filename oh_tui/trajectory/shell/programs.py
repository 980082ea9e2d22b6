"""The table of programs: what each is for, whether it may write, and which files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.shell import git, only_reads
from oh_tui.trajectory.shell.only_reads import Reads, lacks, lacks_letters
from oh_tui.trajectory.shell.purpose import (
    Check,
    Purpose,
    Words,
    by_purpose,
    by_word,
    names,
    plain,
    without_values,
)
from oh_tui.trajectory.shell.reader import PUT_IN


class Program(NamedTuple):
    """A program, asked with its words."""

    purpose: Check
    reads: Reads
    """Whether it writes no file."""
    files: Callable[[Words], Words]
    """The words that name what it writes, if it does."""
    makes: bool
    """It writes files whether they are there or not."""


_TESTS = names("""
    ava bats behave cypress ctest green jest karma mocha nose2 nosetests pest phpunit playwright
    prove py.test pytest rspec stestr tap trial vitest
""")
_LINTS = names("""
    bandit basedpyright black biome clippy eslint flake8 gofmt goimports golangci-lint isort ktlint
    mypy phpcs phpstan pre-commit prettier pycodestyle pydocstyle pyflakes pylint pyright rubocop
    ruff rustfmt shellcheck shfmt standardrb staticcheck stylelint swiftlint ty vulture yamllint
""")
_BUILDS = names("cc clang clang++ cmake esbuild g++ gcc javac ld rollup rustc vite webpack")
INSTALLS = names("add ci i in inst install install-dep sync update upgrade dist-upgrade")
PYTHONS = names("py python python2 python3")

_TEST_FILE = pattern(
    r"(?:.{0,200}/)?(?:test_[\w-]{0,80}|[\w-]{0,80}_test|run_?tests?|tests?)\.\w{1,5}"
)
_TEST_SCRIPT = pattern(r"(?:.{0,200}/)?(?:run[-_]?tests?|tests?|check)(?:\.sh)?")

_LISTS = "check-update env freeze info list ls metadata outdated search show tree version view"
"""What package managers and compilers answer from what they have."""

CONTAINERS = names("docker docker-compose kubectl podman")

_PLACES = ("-C", "-F", "-w", "--cwd", "--dir", "--directory", "--filter", "--prefix", "--workspace")
"""Options of package managers that name a folder or a package."""


class _Verbs:
    """Tells what a program is for by its first words: `npm test`, `cargo build`, `docker ps`."""

    def __init__(self, otherwise: Purpose | Check, before: str = "", **verbs: str) -> None:
        """Those of `before` tell nothing by themselves."""
        self.otherwise, self.before = otherwise, names(before)
        self.purposes = by_purpose(**verbs)

    def __call__(self, words: Words) -> Purpose | None:
        given = verbs_of(words)
        if given[:1] == ["workspace"]:
            given = given[2:]
        if given and given[0] in self.before:
            given = given[1:]
            if not given:
                return Purpose.LOOK  # lists the scripts
        word = given[0] if given else ""
        if found := self.purposes.get(" ".join(given[:2])) or self.purposes.get(word):
            return found
        if word in _TESTS or word in _LINTS or word in _BUILDS:
            return PROGRAMS[word].purpose(given[1:])
        found = by_word(word) or by_word(word.rpartition(":")[2])
        return found or _always(self.otherwise)(given)


def verbs_of(words: Words, *options: str) -> Words:
    """The words that tell what a program is to do, without options and what rustup takes."""
    given = plain(without_values(words, (*_PLACES, *options)))
    return [word for word in given if word[:1] != "+"]


_PACKAGES = {
    "before": "pip run run-script tool",
    "network": "download fetch",
    "install": " ".join(INSTALLS),
    "build": "build compile",
    "look": _LISTS,
    "lint": "check",  # that nothing conflicts
}
_COMPILERS = {
    "look": f"mod_graph nextest_list {_LISTS}",
    "test": "nextest",
    "install": "mod add get install restore deps.get",
    "lint": "analyze check clippy credo dialyzer vet",
    "run": "run clean new init",
    "network": "fetch",
}


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


_DRY = names("-n --dry-run --just-print --list -l --summary --tasks -T --list-all")
"""Options of those that run targets, with which they only tell of them."""


def _make(words: Words) -> Purpose | None:
    if not _DRY.isdisjoint(words):
        return Purpose.LOOK
    targets = plain(without_values(words, ("-C", "-f")))
    found = [by_word(word) for word in targets if "=" not in word]
    return next(filter(None, found), Purpose.BUILD)


def _python(words: Words) -> Purpose | None:
    """A file, or a module that is not in the table."""
    if words[:1] != ["-m"] or len(words) < 2:
        return _script(words)
    module = words[1].partition(".")[0]
    if module in ("doctest", "nose", "unittest"):
        return Purpose.TEST
    return Purpose.BUILD if module == "build" else _script([module, *words[2:]])


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


_COLLECTS = names("--co --collect-only --list-tests --listTests --show-only --fixtures --markers")


def _test(words: Words) -> Purpose | None:
    """A test runner, unless it only tells which tests there are."""
    if words[:1] == ["install"]:  # the browsers of playwright
        return Purpose.INSTALL
    return Purpose.TEST if _COLLECTS.isdisjoint(words) else Purpose.LOOK


_TELLS = names("-l --list --list-sessions -a --listenvs")
_SESSIONS = pattern(r"(?<!\S)(?:-e|-s|--env|--sessions?)[ =]?([^ ]++)")


def _tox(words: Words) -> Purpose | None:
    """`tox`, `nox`: whatever the environments do that are named; without names, all."""
    if not _TELLS.isdisjoint(words) or next(plain(words), "") in ("l", "list", "config", "c"):
        return Purpose.LOOK
    sessions = set(",".join(_SESSIONS.findall(" ".join(words))).split(","))
    lints = {name for name in sessions if by_word(name) is Purpose.LINT or name in _LINTS}
    if sessions - lints - {"build", "doc", "docs"}:
        return Purpose.TEST
    return Purpose.LINT if lints else Purpose.BUILD


_IN_PLACE = pattern(r"-[A-Za-z]{0,3}i|--in-place")


def _in_place(otherwise: Purpose | Check) -> Check:
    """`sed`, `perl`: with `-i` they write the file."""
    check = _always(otherwise)
    return lambda words: Purpose.EDIT if any(map(_IN_PLACE.match, words)) else check(words)


_BEFORE_SCRIPT = pattern(r"-[A-Za-z]{0,4}[ef]")
"""An option of sed or perl that a script follows."""


def _edited(words: Words) -> Words:
    """The files of `sed` and `perl`."""
    before = [word for word in words if _BEFORE_SCRIPT.fullmatch(word)]
    files = [word for word in plain(without_values(words, before)) if word]
    return files if before else files[1:]


def _always(purpose: Check | Purpose | None) -> Check:
    return purpose if callable(purpose) else lambda words: purpose


def _last(words: Words) -> Words:
    return list(plain(words))[-1:]


def _lint(words: Words) -> Purpose | None:
    return Purpose.INSTALL if words[:1] == ["install"] else Purpose.LINT


def _rows(
    called: str | frozenset[str],
    purpose: Check | Purpose | None,
    reads: Reads = lambda words: False,
    files: Callable[[Words], Words] = lambda words: list(plain(words)),
    *,
    makes: bool = False,
) -> dict[str, Program]:
    row = Program(_always(purpose), reads, files, makes)
    return dict.fromkeys(names(called) if isinstance(called, str) else called, row)


PROGRAMS: Mapping[str, Program] = {
    **_rows(
        """
        base64 basename cal cat cksum cmp comm cut date df diff dir dirname dirs du egrep expr
        fgrep fold free getconf getent grep groups head hexdump hostname id jobs join locale
        logname ls lsblk md5sum nl nproc nslookup od paste pgrep printenv ps pwd readlink realpath
        rev seq sha1sum sha256sum sha512sum stat strings sum tac tail times tput tr tty type umask
        uname uptime users vmstat wc whereis which who whoami zcat zgrep
        """,
        Purpose.LOOK, only_reads.always,
    ),
    **_rows(
        ": [ [[ break cd continue echo exit false popd printf pushd read return shift test true",
        None, only_reads.always,
    ),
    **_rows("sleep wait", Purpose.WAIT, only_reads.always),
    **_rows("eval kill nohup setsid source trap", None),
    **_rows("builtin ionice nice stdbuf time timeout xargs", None, only_reads.wrapper),
    **_rows("env", Purpose.LOOK, only_reads.wrapper),
    **_rows("command", Purpose.LOOK, only_reads.always),
    **_rows("declare export local readonly unset", None, lacks(*only_reads.NAMES_THAT_ACT)),
    **_rows("set", None, only_reads.options_of_shell),
    **_rows("ack ag bat exa eza fd less more", Purpose.LOOK),
    **_rows("column jq", Purpose.LOOK, lacks()),
    **_rows("awk gawk mawk nawk", Purpose.LOOK, only_reads.awk),
    **_rows("uniq xxd", Purpose.LOOK, only_reads.of_one_file),
    **_rows("file", Purpose.LOOK, lacks_letters("C", "--c")),
    **_rows("rg", Purpose.LOOK, lacks("--pre", "--hostname-bin")),
    **_rows("sort", Purpose.LOOK, lacks_letters("oT", "--o", "--c", "--t")),
    **_rows("tree", Purpose.LOOK, lacks_letters("o", "--o")),
    **_rows(
        "find",
        lambda words: Purpose.DELETE if "-delete" in words else Purpose.LOOK,
        lacks("-delete", "-fprint", "-fls"),
        lambda words: list(plain(words))[:1],
    ),
    **_rows("sed", _in_place(Purpose.LOOK), only_reads.sed, _edited),
    **_rows("perl", _in_place(_script), files=_edited),
    **_rows("git", git.purpose, git.reads, git.files),
    **_rows("dd tee touch truncate", Purpose.EDIT, makes=True),
    **_rows("cp install ln", Purpose.EDIT, files=_last, makes=True),
    **_rows("patch", Purpose.EDIT, files=_last),
    **_rows("ed", Purpose.EDIT),
    **_rows("rm rmdir shred unlink", Purpose.DELETE),
    **_rows("mv", Purpose.MOVE),
    **_rows("doas sudo", Purpose.SUDO),
    **_rows("aria2c curl ftp rsync scp sftp ssh wget", Purpose.NETWORK),
    **_rows(_TESTS, _test),
    **_rows("ctest", lambda words: Purpose.LOOK if "-N" in words else _test(words)),
    **_rows(_LINTS, _lint),
    **_rows(_BUILDS, Purpose.BUILD),
    **_rows("tsc", lambda words: Purpose.LINT if "--noEmit" in words else Purpose.BUILD),
    **_rows("gradle gradlew mvn mvnw sbt", _built),
    **_rows("gmake just make ninja rake task", _make),
    **_rows("nox tox", _tox),
    **_rows("bash sh", _script, lambda words: words in (["-c"], ["-lc"])),
    **_rows("zsh node php rails ruby", _script),
    **_rows(PYTHONS, _python),
    **_rows(
        "bazel cabal cargo dart dotnet flutter go lein meson mix stack swift",
        _Verbs(Purpose.BUILD, **_COMPILERS),
    ),
    **_rows("zig", _Verbs(Purpose.BUILD, **_COMPILERS | {"test": "test build_test"})),
    **_rows(
        """
        apk apt apt-get brew composer conda dnf gem hatch lerna mamba micromamba npm nx pacman pdm
        pip pip3 pipenv pipx pnpm poetry rye turbo uv yum zypper
        """,
        _Verbs(Purpose.RUN, **_PACKAGES),
    ),
    **_rows(  # they install when nothing is said
        "bundle yarn",
        _Verbs(lambda words: Purpose.RUN if words else Purpose.INSTALL, **_PACKAGES),
    ),
    **_rows("bun", _Verbs(_script, **_PACKAGES)),
    **_rows(
        "deno",
        _Verbs(
            _script, before="task", install="add cache i install", build="bundle compile",
            run="bench eval repl run serve", look="doc info outdated", lint="check",
        ),
    ),
    **_rows(
        CONTAINERS,
        _Verbs(
            Purpose.RUN, before="buildx compose container image", build="build", network="pull",
            look="config describe get images info inspect logs ls ps version",
        ),
    ),
    **_rows("gh", _Verbs(Purpose.NETWORK, push="pr_create release_create")),
}  # fmt: skip
"""By their names. Others may write, and are for what their names tell."""

_VERSIONED = pattern(r"(python|pip)[\d.]{1,6}")


def program(word: str) -> Program | None:
    """The program of a word, whatever its folder and its version."""
    return PROGRAMS.get(program_name(word))


def program_name(word: str) -> str:
    """The name of a program in the table, whatever its folder and its version."""
    base = word.rpartition("/")[2]
    versioned = _VERSIONED.fullmatch(base)
    return versioned[1] if versioned else base


def purpose_of(name: str, words: Words) -> Purpose | None:
    """What a program is for with these words; RUN where it is not in the table."""
    if words[:1] in (["--version"], ["--help"], ["-V"]) or words in (["-h"], ["help"]):
        return Purpose.LOOK
    found = program(name)
    return found.purpose(words) if found else _script([name, *words])


_BEFORE_NAMES = names("compose mod pip run run-script task tool")
"""Commands that do what the word after them says."""


def named(name: str, words: Words) -> str:
    """A program, with the word that tells which of its commands: `git push`, `python -m a`."""
    base = program_name(name)
    check = PROGRAMS[base].purpose if base in PROGRAMS else None
    command: Words = []
    if check is _python and words[:1] == ["-m"]:
        command = words[:2]
    elif check is git.purpose:
        command = git.git_words(words)[:1]
    elif isinstance(check, _Verbs) or check in (_built, _make):
        given = verbs_of(words, "-f")
        command = given[: 2 if given[:1] and given[0] in _BEFORE_NAMES else 1]
    return " ".join((base, *command)).replace(PUT_IN, "…")
