"""The programs that a shell command runs, behind those that run another: the one reading of
commands that tells what steps are for, compares them and names what failed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.shell.only_reads import PUT_IN
from oh_tui.trajectory.shell.programs import (
    named,
    purpose_of,
)
from oh_tui.trajectory.shell.purpose import Purpose, Words, by_word
from oh_tui.trajectory.shell.reader import LONGEST, Simple, Unsure, commands


class Called(NamedTuple):
    """A program that a command runs."""

    name: str
    """As it is written; "" for a command that only sends its output somewhere."""
    words: Words
    targets: tuple[str, ...] = ()
    """Where its output is sent."""
    runs: tuple[Called, ...] = ()
    """The programs that it runs in its place."""

    @property
    def is_seen(self) -> bool:
        """Whether it counts beside those that it runs."""
        return self.name.rpartition("/")[2] in _SEEN

    @property
    def is_container(self) -> bool:
        return self.name.rpartition("/")[2] in _CONTAINERS

    @property
    def leaves(self) -> Iterator[Called]:
        """The programs that run no other."""
        for one in self.runs:
            yield from one.leaves
        if not self.runs and self.name:
            yield self


def called_by(command: str) -> Iterator[Called]:
    """What a command runs, in its order; never raises. Of one that is not understood its words
    tell."""
    return _run_by(_simple_of(command), 0)


def ends_with(command: str) -> Called | None:
    """What tells the exit code of a whole command; None where that is not plain."""
    try:
        simple, in_background = commands(command, 0)
    except Unsure:
        return None
    if not simple or in_background or simple[-1].words[:1] == ["!"]:
        return None
    found = one = next(_run_by([simple[-1]], 0), None)
    while one:
        name = one.name.rpartition("/")[2]
        if _script_of(name, one.words) is not None or (name == "find" and one.runs):
            return None  # it has an exit code of its own
        one = one.runs[0] if one.runs else None
    return found


def program_of(command: str) -> str:
    """What a command calls, with the word that tells more: `pytest`, `git push`. Of several
    programs the first one counts that does more than look."""
    leaves = [leaf for one in called_by(command) for leaf in one.leaves]
    found = min(leaves, key=_rank) if len(leaves) > 1 else next(iter(leaves), None)
    return named(found.name, found.words) if found else ""


def _rank(leaf: Called) -> int:
    purpose = purpose_of(leaf.name, leaf.words)
    return 2 if purpose is None else purpose in (Purpose.LOOK, Purpose.WAIT)


def _simple_of(command: str) -> list[Simple]:
    try:
        return commands(command, 0)[0]
    except Unsure:
        return list(_guessed(command))


_PARTS = pattern(r"\|\||&&|[\n;&|()`]")
_HEREDOC = pattern(r"(?<!<)<<-?\s*['\"\\]?(\w{1,80})['\"]?")
_REDIRECTED = pattern(r"(?<![<>=&-])(?:&|\d)?>>?\s*([^\s<>&|;()]{1,400})")


def _guessed(command: str) -> Iterator[Simple]:
    """The simple commands of a text that the reader does not understand, cut at the signs that end
    one. The lines of texts within it are left out, as far as their ends are found."""
    text = "\n".join(_without_texts(command[:LONGEST].split("\n")))
    for part in _PARTS.split(text):
        targets = _REDIRECTED.findall(part)
        words = [word.strip("'\"") for word in _REDIRECTED.sub(" ", part).split()]
        if words or targets:
            yield Simple(words, targets)


def _without_texts(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a command without those of the texts within it."""
    rest = iter(lines)
    for line in rest:
        yield _HEREDOC.sub(" ", line)
        for end in _HEREDOC.findall(line):
            for each in rest:
                if each.strip() == end:
                    break


_ASSIGNS = pattern(r"[A-Za-z_]\w*\+?=")
_OPENS = frozenset({"!", "do", "elif", "else", "if", "then", "until", "while", "{", "exec"})
_SHELL_WORDS = frozenset({"for", "case", "function", "select", "done", "fi", "esac", "}"})

_DEEPEST = 10
"""Programs that run another, and shells within shells."""


def _run_by(simple: Iterable[Simple], depth: int) -> Iterator[Called]:
    for one in simple:
        words = list(one.words)
        while words and (words[0] in _OPENS or _ASSIGNS.match(words[0])):
            words.pop(0)
        name = words[0] if words and words[0] not in _SHELL_WORDS else ""
        if name or one.targets:
            rest = words[1:] if name else []
            if name == PUT_IN and rest[:1] == ["-m"]:
                name = "python"  # `$PYTHON -m pytest`
            runs = tuple(_run_by(_inner(name, rest), depth + 1)) if depth < _DEEPEST else ()
            yield Called(name, rest, tuple(one.targets), runs)


def _inner(name: str, rest: Words) -> list[Simple]:
    """The commands that a program runs."""
    base = name.rpartition("/")[2]
    script = _script_of(base, rest)
    if script is not None:
        return _simple_of(script)
    if base == "find":
        words = _executed(rest)
    elif base in _CONTAINERS:
        words = _in_container(base, rest)
    else:
        words = _wrapped(base, rest)
    return [Simple(words, [])] if words else []


def _executed(rest: list[str]) -> list[str]:
    """The words of the program that `find` runs, without the files that it puts in."""
    if "-exec" not in rest:
        return []
    words = rest[rest.index("-exec") + 1 :]
    end = next((at for at, word in enumerate(words) if word in (";", "+")), len(words))
    return [word for word in words[:end] if word.strip(PUT_IN) not in ("{}", "{", "}")]


def _options(*lines: str) -> dict[str, frozenset[str]]:
    """Programs -> those of their options that a value follows."""
    parted = (line.partition(":") for line in lines)
    return {
        name: frozenset(values.split()) for names, _, values in parted for name in names.split()
    }


_WRAPPERS = _options(
    "builtin chronic command exec nohup setsid unbuffer time:",
    "bunx npx pnpx:-p --package -c",
    "doas:-u -C",
    "env:-u -C --unset --chdir",
    "flock:-w --timeout -E",
    "nice:-n --adjustment",
    "ionice:-c -n -p",
    "stdbuf:-i -o -e",
    "sudo:-u -g -h -p -C -D -r -t -U -T --user --group",
    "timeout:-k -s --kill-after --signal",
    "uvx:--from --with --python -p",
    "watch:-n --interval",
    "xargs:-I -n -P -L -s -d -a -E",
    "xvfb-run:-s -n -e -f -p --server-args --server-num",
)
"""Programs that run the one that follows."""

_OF_THEIR_OWN = {"timeout": 1, "flock": 1}
"""How many words of theirs come first."""

_RUNNERS = _options(
    "bun bundle mise rye pipx npm yarn:--cwd --prefix -w --workspace -p --package",
    "conda mamba micromamba:-n -p --name --prefix --cwd",
    "coverage:--source --include --omit --rcfile --data-file --context --concurrency",
    "hatch:-e --env",
    "pdm pipenv:-p --project --python",
    "pnpm:-C -F --dir --filter -w",
    "poetry:-C -P --directory --project",
    "uv:-p --python --with --with-requirements --extra --group --directory --project --package"
    " --env-file --index-url",
)
_RUN = {
    "bun": ("x",), "bundle": ("exec",), "mise": ("exec", "x"), "npm": ("exec", "x"),
    "pnpm": ("exec", "dlx"), "yarn": ("exec", "dlx"),
}  # fmt: skip
"""Programs that do so after one of these words; else after `run`."""

_CONTAINERS = frozenset({"docker", "docker-compose", "kubectl", "podman"})

_OF_CONTAINERS = frozenset({
    "-H", "-c", "-e", "-f", "-h", "-l", "-m", "-n", "-p", "-u", "-v", "-w", "--add-host", "--cpus",
    "--entrypoint", "--env", "--env-file", "--file", "--gpus", "--host", "--hostname", "--label",
    "--memory", "--mount", "--name", "--namespace", "--net", "--network", "--platform", "--profile",
    "--project-directory", "--project-name", "--publish", "--pull", "--shm-size", "--user",
    "--volume", "--workdir",
})  # fmt: skip
"""Options of `docker run` and its like that take a value."""

_SEEN = frozenset({"doas", "find", "sudo"})


def _wrapped(name: str, rest: Words) -> Words:
    """The words of the program that this one runs; none if it runs none."""
    if name.startswith("python") and rest[:1] == ["-m"] and rest[1:2] and rest[1] in _RUNNERS:
        name, rest = rest[1], rest[2:]
    if name in _RUNNERS:
        return _run_with(name, rest)
    if name not in _WRAPPERS or (name == "command" and rest[:1] in (["-v"], ["-V"])):
        return []
    given = _after_options(rest, _WRAPPERS[name])
    for _ in range(_OF_THEIR_OWN.get(name, 0)):
        given = _after_options(given[1:], _WRAPPERS[name])
    while given and _ASSIGNS.match(given[0]):
        given = given[1:]
    return given


def _run_with(name: str, rest: Words) -> Words:
    """Of a program that runs others after a word. It may have scripts of its own, which are no
    programs: `hatch run test`."""
    options = _RUNNERS[name]
    given = _after_options(rest, options)
    if name == "uv" and given[:2] == ["tool", "run"]:
        given = given[1:]
    if not given or given[0] not in _RUN.get(name, ("run",)):
        return []
    given = _after_options(given[1:], options)
    if given[:1] == ["-m"]:
        return ["python", *given]
    is_script = given and by_word(given[0].rpartition(":")[2])
    return [] if is_script and purpose_of(given[0], given[1:]) in (None, Purpose.RUN) else given


def _in_container(name: str, rest: Words) -> Words:
    """The words of the program that is run in a container; none if none is named."""
    given = _after_options(rest, _OF_CONTAINERS)
    while given and given[0] in ("compose", "container"):
        given = _after_options(given[1:], _OF_CONTAINERS)
    if not given or given[0] not in ("exec", "run"):
        return []
    if name == "kubectl":
        return given[given.index("--") + 1 :] if "--" in given else []
    return _after_options(given[1:], _OF_CONTAINERS)[1:]


def _after_options(words: Words, with_value: Collection[str]) -> Words:
    at = 0
    while at < len(words) and words[at][:1] == "-":
        if words[at] == "--":
            return words[at + 1 :]
        if words[at] == "-m" and words[at] not in with_value:
            break  # a module of Python
        at += 2 if words[at] in with_value else 1
    return words[at:]


_SHELLS = frozenset({"bash", "dash", "ksh", "sh", "zsh"})


def _script_of(name: str, rest: Words) -> str | None:
    """The script that a shell is given with `-c`; None for none."""
    if name not in _SHELLS:
        return None
    at, has = 0, False
    while at < len(rest) and rest[at][:1] in ("-", "+"):
        word = rest[at]
        has |= word[:2] != "--" and "c" in word
        at += 2 if word in ("-o", "+o", "-O", "--rcfile", "--init-file") else 1
    return rest[at] if has and at < len(rest) and PUT_IN not in rest[at] else None
