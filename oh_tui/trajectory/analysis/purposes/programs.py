"""The table of programs: what a simple command is for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
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
    cc clang clang++ cmake g++ gcc javac ld rustc tsc vite webpack
""")
INSTALLS = _names("add ci i in inst install install-dep sync update upgrade dist-upgrade")
_PACKAGES = _names("""
    apk apt apt-get brew bundle bun composer conda dnf gem hatch mamba micromamba npm pacman pdm pip
    pip3 pipenv pipx pnpm poetry rye uv yarn yum zypper
""")
_LISTS = _names(
    "check-update env freeze info list ls metadata outdated search show tree version view"
)
"""What package managers and compilers answer from what they have."""
_COMPILERS = _names("bazel cargo dotnet go gradle gradlew meson mix mvn mvnw sbt swift zig")
_LOOKS = _names("ack ag bat egrep exa eza fd less more")
_EDITS = _names("cp dd ed install ln patch tee touch truncate")
_CLIENTS = _names("aria2c curl ftp rsync scp sftp ssh wget")

_TEST_WORD = pattern(
    r"(?:unit|e2e|integration|run)?[-_.:]?(?:tests?|specs?|check)(?:[-_.:].{0,80})?"
)
"""A script or target that tests, such as `test:unit`."""
_LINT_WORD = pattern(
    r"(?:(?:check|test)[-_.:])?(?:lint|format|fmt|style|typecheck|type-check|types)"
    r"(?:[-_.:].{0,80})?"
)
_TEST_FILE = pattern(
    r"(?:.{0,200}/)?(?:test_[\w-]{0,80}|[\w-]{0,80}_test|run_?tests?|tests?)\.\w{1,5}"
)
_TEST_SCRIPT = pattern(r"(?:.{0,200}/)?(?:run[-_]?tests?|tests?|check)(?:\.sh)?")


def by_word(word: str) -> Purpose | None:
    """What a script of a package or a target is for, by its name."""
    if _LINT_WORD.fullmatch(word):
        return Purpose.LINT
    return Purpose.TEST if _TEST_WORD.fullmatch(word) else None


def plain(words: Words) -> Iterator[str]:
    """The words that are no options."""
    return (word for word in words if word[:1] != "-")


def without_values(words: Words, options: Collection[str]) -> Words:
    """Without these options and the values that follow them."""
    values = {at + 1 for at, word in enumerate(words) if word in options}
    return [word for at, word in enumerate(words) if word not in options and at not in values]


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
    if given[:1] in (["pip"], ["run"], ["run-script"]) and len(given) > 1:
        given = given[1:]
    word = given[0] if given else ""
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
    return by_word(word) or Purpose.RUN


def _yarn(words: Words) -> Purpose | None:
    """`yarn` and `bundle` install when nothing is said."""
    return _package_manager(words) if _first(words) else Purpose.INSTALL


def _compiled(words: Words) -> Purpose | None:
    """`cargo`, `go`, `dotnet`, `swift`, `zig`, `mix`, `mvn`, `gradle`, `make`."""
    for word in plain(words):
        if word in ("add", "get", "install", "restore") and "=" not in word:
            return Purpose.INSTALL
        if word in ("nextest", "verify") or (by_word(word) is Purpose.TEST and word != "check"):
            return Purpose.TEST
        if word in ("check", "clippy", "vet") or by_word(word) is Purpose.LINT:
            return Purpose.LINT
        if word in ("run", "clean"):
            return Purpose.RUN
        if word in _LISTS:
            return Purpose.LOOK
    return Purpose.BUILD


def _make(words: Words) -> Purpose | None:
    if "-n" in words or "--dry-run" in words:
        return Purpose.LOOK
    targets = plain(without_values(words, ("-C", "-f")))
    found = [by_word(word) for word in targets if "=" not in word]
    return next(filter(None, found), Purpose.BUILD)


def _python(words: Words) -> Purpose | None:
    if words[:1] == ["-m"] and len(words) > 1:
        module = words[1].partition(".")[0]
        if words[1] in ("unittest", "doctest", "nose"):
            return Purpose.TEST
        is_python = OF_PROGRAMS.get(module) is _python
        return Purpose.RUN if is_python else purpose_of(module, words[2:])
    return _script(words)


def _script(words: Words) -> Purpose | None:
    """A file that is run: `test_x.py`, `manage.py test`."""
    given = list(plain(words))
    if not given:
        return Purpose.TEST if "--test" in words else Purpose.RUN
    name, rest = given[0], given[1:]
    is_manager = name.endswith(("artisan", "django-admin", "manage.py"))
    if is_manager and rest[:1] == ["test"]:
        return Purpose.TEST
    if name == "setup.py" and rest[:1] in (["install"], ["develop"]):
        return Purpose.INSTALL
    is_test = _TEST_FILE.fullmatch(name) or _TEST_SCRIPT.fullmatch(name) or "--test" in words
    return Purpose.TEST if is_test else Purpose.RUN


_COLLECTS = ("--co", "--collect-only", "--list-tests", "--listTests", "--show-only")


def _test(words: Words) -> Purpose | None:
    """A test runner, unless it only tells which tests there are."""
    return Purpose.TEST if set(words).isdisjoint(_COLLECTS) else Purpose.LOOK


def _docker(words: Words) -> Purpose | None:
    """`docker build`, `docker compose logs`, `podman pull`."""
    given = list(plain(words))
    if given[:1] and given[0] in ("buildx", "compose", "container", "image"):
        given = given[1:]
    table = {"build": Purpose.BUILD, "pull": Purpose.NETWORK} | dict.fromkeys(
        ("config", "images", "info", "inspect", "logs", "ls", "ps", "version"), Purpose.LOOK
    )
    return table.get(given[0], Purpose.RUN) if given else Purpose.RUN


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
    if name in ("clean", "commit", "push", "rm") and _is_dry(name, given):
        return Purpose.LOOK
    if _leaves_files(name, given):
        return Purpose.RUN
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
        "switch": Purpose.LOOK,
    }  # fmt: skip
    return table.get(name) or (Purpose.LOOK if name in GIT else Purpose.RUN)


def _is_dry(name: str, given: Words) -> bool:
    """Whether git only tells what it would do. `commit -n` is no dry run."""
    return "--dry-run" in given or (name != "commit" and "-n" in given)


def _leaves_files(name: str, given: Words) -> bool:
    """Whether a command changes only the index or the name of the branch, and no file."""
    options = set(given) - set(plain(given))
    match name:
        case "rm":
            return "--cached" in options
        case "reset":
            return options.isdisjoint(("--hard", "--keep", "--merge"))
        case "restore":
            return bool(options & {"-S", "--staged"}) and options.isdisjoint(("-W", "--worktree"))
        case "checkout":
            is_new = bool(options & {"-b", "-B", "--orphan"})
            return is_new and len(list(plain(given))) == 1
        case _:
            return False


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
    **dict.fromkeys(_TESTS, _test),
    **dict.fromkeys(_LINTS, _lint),
    **dict.fromkeys(_BUILDS, _always(Purpose.BUILD)),
    **dict.fromkeys(_PACKAGES, _package_manager),
    **dict.fromkeys(_CLIENTS, _always(Purpose.NETWORK)),
    **dict.fromkeys(_COMPILERS, _compiled),
    **dict.fromkeys(("yarn", "bundle"), _yarn),
    **dict.fromkeys(_EDITS, _always(Purpose.EDIT)),
    **dict.fromkeys(("rm", "rmdir", "shred", "unlink"), _always(Purpose.DELETE)),
    **dict.fromkeys(("bash", "sh", "zsh", "node", "ruby", "php", "deno"), _script),
    **dict.fromkeys(("python", "python2", "python3", "py"), _python),
    **dict.fromkeys(("gmake", "just", "make", "ninja", "rake", "task"), _make),
    **dict.fromkeys(("docker", "docker-compose", "podman"), _docker),
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
    if words[:1] in (["--version"], ["--help"], ["-V"]) or words in (["-h"], ["help"]):
        return Purpose.LOOK
    versioned = _VERSIONED.fullmatch(base)
    if check := OF_PROGRAMS.get(versioned[1] if versioned else base):
        return check(words)
    return _script([name, *words])
