"""What /bin/sh and git do for attempts where these work, and what they tell of a change.

Only `ACCEPT` writes into a repository: the others have an index and objects of their own, in a
folder that they remove.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable

import msgspec

from oh_tui.api.models import CommandResult
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Refused, Remedy
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.reading.test_files import is_test

MARK = "# oh-tui attempts: "
"""How a script begins, before its name; the lines after it have its values."""

_GIT = """git() {
command git --no-optional-locks --literal-pathspecs -c core.hooksPath=/dev/null \\
-c core.fsmonitor= -c core.splitIndex=false "$@"
}
"""

# `git diff` would write the index; of a file that was only touched, the other tells its name
_SUM = """{ git status --porcelain -z
git diff-index -p --no-ext-diff HEAD | sed '/^diff --git/d'; } | git hash-object --stdin"""

_TREE = """cd "$(git rev-parse --show-toplevel)" || exit 90
t=$(mktemp -d) || exit 91
trap 'rm -rf "$t"' EXIT
trap 'exit 92' HUP INT TERM
cp -p "$(git rev-parse --git-path index)" "$t/index" 2>/dev/null
export GIT_INDEX_FILE="$t/index"
"""

_APART = """mkdir "$t/objects"
GIT_ALTERNATE_OBJECT_DIRECTORIES=$(cd "$(git rev-parse --git-path objects)" && pwd) || exit 93
export GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_OBJECT_DIRECTORY="$t/objects"
"""

# an agent may have told git to overlook a file (assume-unchanged, skip-worktree); of a repository
# inside this one git records only the commit, not the files
_WRITE = """git -c core.sparseCheckout=true update-index -q --really-refresh \\
--force-write-index >/dev/null 2>&1
git add -A >"$t/said" 2>&1 || { cat "$t/said" >&2; exit 94; }
tree=$(git write-tree) || exit 95
inside=$(git diff-files --name-only --ignore-submodules=none
git diff-tree -r --no-renames "$base" "$tree" | sed -n 's/^:000000 160000 .*\t//p')
[ -z "$inside" ] || { echo "a repository inside it holds its own changes:" $inside >&2; exit 94; }
"""

_AS_SHOWN = '[ "$tree" = "$want" ] || { echo "it has changed since it was shown" >&2; exit 96; }\n'

GROUND = f"""{_GIT}git rev-parse --show-toplevel HEAD || exit
pwd -P
echo "$HOME"
{_SUM}"""

LOOK = f"""{_GIT}sum=
[ -n "$folder" ] && sum=$(cd "$folder" && {_SUM})
{_TREE}{_APART}{_WRITE}head=$(git rev-parse HEAD) || exit 97
was=$(git rev-parse "$base^{{tree}}") || exit 97
printf '%s\\0' "$tree" "$was" "$head" "$(git symbolic-ref -q HEAD | sed 's|^refs/heads/||')" "$sum"
git diff-tree -r --raw --numstat -z --no-renames "$was" "$tree" || exit 98
printf '\\0'
git diff-tree -r --name-only -z --no-renames "$head" "$tree" """

# a command that prints without end is ended at 4 GB (blocks of 512 bytes), before the disk is full
VERIFY = f"""{_GIT}{_TREE}{_APART}{_WRITE}{_AS_SHOWN}
unset GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
git clone -q --shared -n . "$t/copy" || exit 93
tar --exclude=./.git -cf - . | (cd "$t/copy" && tar -xf -) || exit 94
cd "$t/copy" && git reset -q "$base" || exit 95
eval "$restore" || exit 96
(ulimit -f 8388608; exec sh -c "$command") >"$t/said" 2>&1 </dev/null
echo "$?"
tail -c 4000 "$t/said" """

ACCEPT = f"""{_GIT}{_TREE}{_WRITE}{_AS_SHOWN}head=$(git rev-parse HEAD) || exit 97
ref=$(git symbolic-ref -q HEAD) || {{ echo "it stands on no branch" >&2; exit 97; }}
[ "$head $ref" = "$at refs/heads/$branch" ] || {{ echo "its branch has moved" >&2; exit 96; }}
[ -e "$(git rev-parse --git-path MERGE_HEAD)" ] && {{ echo "a merge is not done" >&2; exit 97; }}
[ "$tree" = "$(git rev-parse "HEAD^{{tree}}")" ] && {{ echo "$head"; exit 0; }}
export GIT_AUTHOR_NAME="$name" GIT_AUTHOR_EMAIL="$email"
export GIT_COMMITTER_NAME="$name" GIT_COMMITTER_EMAIL="$email"
made=$(git commit-tree "$tree" -p "$head" -m "$message") || exit 98
git update-ref -m "oh-tui attempts --accept" "$ref" "$made" "$head" || exit 99
unset GIT_INDEX_FILE
git reset -q
echo "$made" """

PATCH = f"""{_GIT}{_TREE}{_APART}{_WRITE}{_AS_SHOWN}
git diff-tree -p --no-ext-diff --binary --full-index "$base" "$tree" >"$t/patch" || exit 98
wc -c <"$t/patch"
base64 <"$t/patch" """

_NAMES = {LOOK: "look", VERIFY: "verify", ACCEPT: "accept", PATCH: "patch", GROUND: "ground"}


def filled(script: str, **values: str) -> str:
    """The script with its values, which no shell takes for more."""
    told = (f"{name}={shlex.quote(value)}" for name, value in values.items())
    return "\n".join([f"{MARK}{_NAMES[script]}", *told, script])


class FileChange(msgspec.Struct, frozen=True):
    path: str
    letter: str
    """That of git: A, M, D, T."""
    added: int | None = None
    """Lines; None of a file that is no text."""
    removed: int | None = None

    @property
    def is_test(self) -> bool:
        return is_test(self.path)


class Change(msgspec.Struct, frozen=True):
    """What an attempt has changed since its start commit, in commits or not."""

    tree: str
    """The id that git gives its files as they are: equal files have an equal one."""
    was: str
    """That of the start commit."""
    head: str = ""
    branch: str = ""
    ground: str = ""
    """How the folder itself stands, of which it is a worktree; "" where that is not told."""
    files: tuple[FileChange, ...] = ()
    uncommitted: tuple[str, ...] = ()
    """Paths."""

    def is_like(self, other: Change) -> bool:
        """Whether both have changed something, and byte for byte the same."""
        return self.tree != self.was and (self.was, self.tree) == (other.was, other.tree)

    @property
    def tests(self) -> tuple[FileChange, ...]:
        return tuple(one for one in self.files if one.is_test)

    @property
    def added(self) -> int:
        return sum(one.added or 0 for one in self.files)

    @property
    def removed(self) -> int:
        return sum(one.removed or 0 for one in self.files)

    @property
    def lines(self) -> str:
        """How many lines it has more and less, of those files that are text."""
        return f"+{self.added} -{self.removed}"

    @property
    def words(self) -> str:
        return f"{plural(len(self.files), 'file')} {self.lines}"

    @property
    def restore(self) -> str:
        """The line for a shell that gives the tests back as they were at its start."""
        new = [one.path for one in self.tests if one.letter == "A"]
        old = [one.path for one in self.tests if one.letter != "A"]
        lines = [f"rm -- {shlex.join(new)}"] if new else []
        return " && ".join(
            [*lines, f'git checkout -q "$base" -- {shlex.join(old)}'] if old else lines
        )


def read_change(printed: str) -> Change:
    """What `LOOK` has printed. Raises ValueError for anything else."""
    tree, was, head, branch, ground, *rest = printed.split("\0")
    end = rest.index("")
    letters: dict[str, str] = {}
    files = []
    words = iter(rest[:end])
    for word in words:
        if word.startswith(":"):
            letters[next(words)] = word.rpartition(" ")[2][:1]
            continue
        added, removed, path = word.split("\t", 2)
        counts = (int(one) if one.isdecimal() else None for one in (added, removed))
        files.append(FileChange(path, letters.get(path, "?"), *counts))
    return Change(
        tree, was, head, branch, ground.strip(), tuple(files), tuple(filter(None, rest[end:]))
    )


_PATH = pattern(r"(?:(?<![\w.~:/-])|(?<=:)(?!//[^/]))~?/[^\s\"'`<>|;:&,(){}\[\]]{1,4096}")


def leading_into(text: str, folders: Iterable[str], home: str) -> str:
    """The first absolute path in a text that leads into one of the folders; "" for none."""
    for found in _PATH.finditer(text):
        path = f"{home}{found[0][1:]}" if found[0].startswith("~") else found[0]
        path = posixpath.normpath(path.rstrip(".!?")).replace("//", "/", 1)
        for one in folders:
            if one.startswith("/") and f"{path}/".startswith(f"{one.rstrip('/')}/"):
                return found[0]
    return ""


def printed(told: CommandResult) -> str:
    return told.stdout.rstrip("\n") if not told.exit_code else ""


def last_line(told: CommandResult) -> str:
    """The last line that a command printed, of its errors if there are any."""
    lines = (told.stderr.strip() or told.stdout.strip()).splitlines()
    return safe_line(lines[-1], 200) if lines else ""


def not_told(told: CommandResult) -> Refused:
    return Refused(f"Git there did not tell: {last_line(told) or 'no answer'}", Remedy.LOOK_FIRST)
