"""The table of programs: what a simple command is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.files.programs import GIT, PROGRAMS


class Purpose(StrEnum):
    """What a step is for; a value is a word of `does:` too."""

    LOOK = "look"
    """Reads or searches files, lists folders, asks git."""
    EDIT = "edit"
    """Writes files."""
    DELETE = "delete"
    MOVE = "move"
    TEST = "test"
    LINT = "lint"
    """Checks types or style, formats."""
    BUILD = "build"
    INSTALL = "install"
    """Installs packages."""
    COMMIT = "commit"
    PUSH = "push"
    FORCE = "force"
    """Pushes over what others may have."""
    NETWORK = "network"
    """Fetches from elsewhere: clones, downloads, reads web pages."""
    SUDO = "sudo"
    WAIT = "wait"
    PLAN = "plan"
    DELEGATE = "delegate"
    """Gives work to a sub-agent."""
    ANSWER = "answer"
    """The agent speaks to the user, or finishes."""
    ASKED = "asked"
    """A message of the user."""
    RUN = "run"
    """Any other command or tool."""


Words = list[str]
Check = Callable[[Words], Purpose | None]
"""What a program is for with these words; None where it is for nothing that is told."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TESTS = _names("""
    ava behave cypress ctest jest karma mocha nose2 nosetests nox phpunit playwright py.test pytest
    rspec tap tox trial vitest
""")
_LINTS = _names("""
    bandit black biome clippy eslint flake8 gofmt golangci-lint isort mypy pre-commit prettier
    pycodestyle pydocstyle pylint pyright rubocop ruff rustfmt shellcheck stylelint ty
""")
_BUILDS = _names("""
    cc clang clang++ cmake g++ gcc javac ld make meson ninja rustc tsc vite webpack
""")
INSTALLS = _names("add ci i in inst install install-dep sync update upgrade dist-upgrade")
_PACKAGES = _names("""
    apk apt apt-get brew bundle bun composer conda dnf gem mamba micromamba npm pacman pip pip3
    pipenv pipx pnpm poetry uv yarn yum zypper
""")
_COMPILERS = _names("cargo dotnet go gradle gradlew mix mvn mvnw sbt swift zig")
_LOOKS = _names("ack ag bat egrep exa eza fd less more")
_EDITS = _names("cp dd ed install ln patch tee touch truncate")
_CLIENTS = _names("aria2c curl ftp rsync scp sftp ssh wget")

_TEST_WORD = pattern(
    r"(?:unit|e2e|integration|run)?[-_.:]?(?:tests?|specs?|check)(?:[-_.:].{0,80})?"
)
"""A script or target that tests, such as `test:unit`."""
_LINT_WORD = pattern(r"(?:lint|format|fmt|typecheck|type-check|types)(?:[-_.:].{0,80})?")
_TEST_FILE = pattern(
    r"(?:.{0,200}/)?(?:test_[\w-]{0,80}|[\w-]{0,80}_test|run_?tests?|runtests)\.\w{1,5}"
)
_TEST_SCRIPT = pattern(r"(?:.{0,200}/)?(?:run[-_]?tests?|tests?|check)(?:\.sh)?")


def by_word(word: str) -> Purpose | None:
    """What a script of a package or a target is for, by its name."""
    if _TEST_WORD.fullmatch(word):
        return Purpose.TEST
    return Purpose.LINT if _LINT_WORD.fullmatch(word) else None


def plain(words: Words) -> Iterator[str]:
    """The words that are no options."""
    return (word for word in words if word[:1] != "-")


def _first(words: Words) -> str:
    return next(plain(words), "")


def _package_manager(words: Words) -> Purpose | None:
    """`npm test`, `npm run lint`, `pip install x`, `uv pip install x`."""
    given = list(plain(words))
    if given[:1] in (["pip"], ["run"], ["run-script"]) and len(given) > 1:
        given = given[1:]
    word = given[0] if given else ""
    if word in INSTALLS:
        return Purpose.INSTALL
    if word in ("build", "compile"):
        return Purpose.BUILD
    if word == "check":  # that nothing conflicts
        return Purpose.LINT
    return by_word(word) or Purpose.RUN


def _yarn(words: Words) -> Purpose | None:
    return _package_manager(words) if _first(words) else Purpose.INSTALL


def _compiled(words: Words) -> Purpose | None:
    """`cargo`, `go`, `dotnet`, `swift`, `zig`, `mix`, `mvn`, `gradle`, `make`."""
    for word in plain(words):
        if word in ("add", "get", "install", "restore") and "=" not in word:
            return Purpose.INSTALL
        if word == "verify" or (by_word(word) is Purpose.TEST and word != "check"):
            return Purpose.TEST
        if word in ("check", "clippy", "vet") or by_word(word) is Purpose.LINT:
            return Purpose.LINT
        if word in ("run", "clean"):
            return Purpose.RUN
    return Purpose.BUILD


def _make(words: Words) -> Purpose | None:
    found = [by_word(word) for word in plain(words) if "=" not in word]
    return next(filter(None, found), Purpose.BUILD)


def _python(words: Words) -> Purpose | None:
    if words[:1] == ["-m"] and len(words) > 1:
        module = words[1].partition(".")[0]
        if words[1] in ("unittest", "pytest", "doctest", "nose", "trial", "tox", "nox"):
            return Purpose.TEST
        check = OF_PROGRAMS.get(module)
        return check(words[2:]) if check else Purpose.RUN
    return _script(words)


def _script(words: Words) -> Purpose | None:
    """A file that is run: `test_x.py`, `manage.py test`."""
    given = list(plain(words))
    if not given:
        return Purpose.RUN
    name, rest = given[0], given[1:]
    if name.endswith("manage.py") and rest[:1] == ["test"]:
        return Purpose.TEST
    if name == "setup.py" and rest[:1] in (["install"], ["develop"]):
        return Purpose.INSTALL
    if _TEST_FILE.fullmatch(name) or "--test" in words:
        return Purpose.TEST
    return Purpose.RUN


GIT_OPTIONS = ("-C", "-c", "--git-dir", "--work-tree")
"""Options of git before its command, with a value of their own."""


def git_words(words: Words) -> Words:
    """The words of git from its command on."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        rest = rest[2 if rest[0] in GIT_OPTIONS else 1 :]
    return rest


def _git(words: Words) -> Purpose | None:
    rest = git_words(words)
    name, given = (rest[0], rest[1:]) if rest else ("", [])
    if name == "push":
        return Purpose.FORCE if is_forced(given) else Purpose.PUSH
    if name in (
        "apply",
        "am",
        "checkout",
        "cherry-pick",
        "merge",
        "rebase",
        "reset",
        "restore",
        "revert",
        "stash",
    ):
        return Purpose.LOOK if PROGRAMS["git"](words) else Purpose.EDIT
    table = {
        "commit": Purpose.COMMIT, "rm": Purpose.DELETE, "clean": Purpose.DELETE, "mv": Purpose.MOVE,
        "clone": Purpose.NETWORK, "fetch": Purpose.NETWORK, "pull": Purpose.NETWORK,
        "branch": Purpose.LOOK, "remote": Purpose.LOOK, "config": Purpose.LOOK,
    }  # fmt: skip
    return table.get(name) or (Purpose.LOOK if name in GIT else Purpose.RUN)


def is_forced(words: Words) -> bool:
    """Whether a push may replace what others have: `-f`, `--force`, `+main`."""
    short = (word for word in words if word[:1] == "-" and word[:2] != "--")
    return (
        any(word.startswith(("--force", "--mirror")) for word in words)
        or any("f" in word for word in short)
        or any(word[:1] == "+" for word in words)
    )


def _gh(words: Words) -> Purpose | None:
    return (
        Purpose.PUSH
        if list(plain(words))[:2] in (["pr", "create"], ["release", "create"])
        else Purpose.NETWORK
    )


_IN_PLACE = pattern(r"-[A-Za-z]{0,3}i|--in-place")


def _in_place(words: Words) -> Purpose | None:
    """`sed`: with `-i` it writes the file."""
    return Purpose.EDIT if any(map(_IN_PLACE.match, words)) else Purpose.LOOK


def _perl(words: Words) -> Purpose | None:
    return Purpose.EDIT if any(map(_IN_PLACE.match, words)) else _script(words)


def _find(words: Words) -> Purpose | None:
    return Purpose.DELETE if "-delete" in words else Purpose.LOOK


def _always(purpose: Purpose | None) -> Check:
    return lambda words: purpose


def _lint(words: Words) -> Purpose | None:
    return Purpose.INSTALL if words[:1] == ["install"] else Purpose.LINT


_NOTHING = _names(
    """
    : [ [[ break cd continue echo exit export false kill local popd printf pushd return set shift
    test true unset
"""
)
"""For nothing by themselves, whatever they write to."""

OF_PROGRAMS: Mapping[str, Check] = {
    **dict.fromkeys(PROGRAMS, _always(Purpose.LOOK)),
    **dict.fromkeys(_NOTHING, _always(None)),
    **dict.fromkeys(_LOOKS, _always(Purpose.LOOK)),
    **dict.fromkeys(_TESTS, _always(Purpose.TEST)),
    **dict.fromkeys(_LINTS, _lint),
    **dict.fromkeys(_BUILDS, _always(Purpose.BUILD)),
    **dict.fromkeys(_PACKAGES, _package_manager),
    **dict.fromkeys(_CLIENTS, _always(Purpose.NETWORK)),
    **dict.fromkeys(_COMPILERS, _compiled),
    **dict.fromkeys(("bun", "yarn", "bundle", "pipenv", "poetry"), _yarn),
    **dict.fromkeys(_EDITS, _always(Purpose.EDIT)),
    **dict.fromkeys(("rm", "rmdir", "shred", "unlink"), _always(Purpose.DELETE)),
    **dict.fromkeys(("bash", "sh", "zsh", "node", "ruby", "php", "deno"), _script),
    **dict.fromkeys(("python", "python2", "python3", "py"), _python),
    **dict.fromkeys(("gmake", "just", "make", "rake", "task"), _make),
    "find": _find,
    "gh": _gh,
    "git": _git,
    "perl": _perl,
    "sed": _in_place,
    "mv": _always(Purpose.MOVE),
    "sleep": _always(Purpose.WAIT),
    "wait": _always(Purpose.WAIT),
}  # fmt: skip


_VERSIONED = pattern(r"(python|pip)[\d.]{1,6}")


def purpose_of(name: str, words: Words) -> Purpose | None:
    """What a program is for with these words; RUN where it is not in the table."""
    base = name.rpartition("/")[2]
    versioned = _VERSIONED.fullmatch(base)
    if check := OF_PROGRAMS.get(versioned[1] if versioned else base):
        return check(words)
    is_test = _TEST_FILE.fullmatch(name) or _TEST_SCRIPT.fullmatch(name)
    return Purpose.TEST if is_test else Purpose.RUN
