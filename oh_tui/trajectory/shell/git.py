"""What commands of git are for, and which only read."""

from __future__ import annotations

from oh_tui.trajectory.shell.only_reads import lacks
from oh_tui.trajectory.shell.purpose import (
    Purpose,
    Words,
    after_options,
    by_purpose,
    letters,
    names,
    plain,
)

_READ = names("""
    blame cat-file cherry count-objects describe diff diff-files diff-index diff-tree for-each-ref
    grep log ls-files ls-tree merge-base name-rev range-diff rev-list rev-parse shortlog show
    show-ref status var version whatchanged
""")
"""Commands that leave the working folder as it is."""

_TELL = {
    "branch": names("-a -r -v -vv --list --show-current"),
    "config": names("--get --get-all --list -l"),
    "remote": names("-v get-url show"),
    "stash": names("list show"),
    "tag": names("-l --list"),
}
"""Commands that do so if their first word is one of these, or if there is none."""

_OF_COMMANDS = by_purpose(
    commit="commit",
    delete="clean rm",
    edit="am apply checkout cherry-pick merge rebase reset restore revert stash",
    look="branch config remote switch",
    move="mv",
    network="clone fetch pull",
)

_ACTING = ("--ou", "-O", "-o", "--op", "--ext", "--textc")
"""How options begin that write, or run something."""


def git_words(words: Words) -> Words:
    """The words of git from its command on."""
    return after_options(words, ("-C", "-c", "--git-dir", "--work-tree"))


def purpose(words: Words) -> Purpose | None:
    rest = git_words(words)
    name, given = (rest[0], rest[1:]) if rest else ("", [])
    is_dry = "--dry-run" in given or ("-n" in given and name != "commit")  # there it is no dry run
    if name in _READ or reads(words) or (is_dry and name in ("clean", "commit", "push", "rm")):
        return Purpose.LOOK
    if _leaves_files(name, given):
        return Purpose.RUN
    if name == "push":
        return Purpose.FORCE if _is_forced(given) else Purpose.PUSH
    return _OF_COMMANDS.get(name, Purpose.RUN)


def reads(words: Words) -> bool:
    """A command that only reads, without options that write or run something."""
    rest = git_words(words)
    before = words[: len(words) - len(rest)]
    if any(word[:1] == "-" and word not in ("--no-pager", "-P", "-C") for word in before):
        return False
    if not rest or not lacks(*_ACTING)(rest):
        return False
    name, given = rest[0], rest[1:2]
    if name in _READ or (name in _TELL and not given and name != "stash"):
        return True
    return not _TELL.get(name, frozenset()).isdisjoint(given)


def files(words: Words) -> Words:
    """The words that name what git writes."""
    rest = git_words(words)
    if rest[:1] and rest[0] in ("mv", "restore", "rm"):
        return list(plain(rest[1:]))
    return words[words.index("--") + 1 :] if "--" in words else []


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
    has = any(word.startswith(("--force", "--mirror", "+")) for word in words)
    return has or "f" in letters(words)
