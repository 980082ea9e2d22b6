"""What commands of git are for."""

from __future__ import annotations

from oh_tui.trajectory.shell.only_reads import GIT, PROGRAMS
from oh_tui.trajectory.shell.purpose import Purpose, Words, plain

_WITH_VALUE = ("-C", "-c", "--git-dir", "--work-tree")
"""Options of git before its command, with a value of their own."""


def git_words(words: Words) -> Words:
    """The words of git from its command on."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        rest = rest[2 if rest[0] in _WITH_VALUE else 1 :]
    return rest


def git(words: Words) -> Purpose | None:
    rest = git_words(words)
    name, given = (rest[0], rest[1:]) if rest else ("", [])
    if name in ("clean", "commit", "push", "rm") and _is_dry(name, given):
        return Purpose.LOOK
    if _leaves_files(name, given):
        return Purpose.RUN
    if name == "push":
        return Purpose.FORCE if _is_forced(given) else Purpose.PUSH
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


def _is_forced(words: Words) -> bool:
    """Whether a push may replace what others have: `-f`, `--force`, `+main`."""
    short = (word for word in words if word[:1] == "-" and word[:2] != "--")
    return (
        any(word.startswith(("--force", "--mirror")) for word in words)
        or any("f" in word for word in short)
        or any(word[:1] == "+" for word in words)
    )
