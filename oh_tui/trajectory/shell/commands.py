"""The programs that a shell command runs, behind those that run another, and whether it may write
to files. In doubt it may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.shell.only_reads import NAMES_THAT_ACT
from oh_tui.trajectory.shell.programs import (
    CONTAINERS,
    PROGRAMS,
    PYTHONS,
    named,
    program,
    program_name,
    purpose_of,
)
from oh_tui.trajectory.shell.purpose import Purpose, Words, after_options, by_word, letters, names
from oh_tui.trajectory.shell.reader import DEEPEST, LONGEST, PUT_IN, UNREAD, Simple, read


class Script(NamedTuple):
    """The commands of a text, or what a program runs in its place."""

    commands: tuple[Called, ...] = ()
    is_sure: bool = True
    """Whether all of it is understood."""
    in_background: bool = False
    """Whether one of them runs in the background."""

    @property
    def leaves(self) -> Iterator[Called]:
        """The programs that run no other."""
        for one in self.commands:
            yield from list(one.runs.leaves) or ([one] if one.name else [])


class Called(NamedTuple):
    """A program that a command runs."""

    name: str
    """As it is written; "" for a command that only sends its output somewhere, or sets names."""
    words: Words
    """Its own, without those of what it runs."""
    targets: tuple[str, ...] = ()
    """Where its output is sent."""
    sets: tuple[str, ...] = ()
    """The names of variables that are set for it."""
    runs: Script = Script()

    @property
    def base(self) -> str:
        """Its name without the folder."""
        return self.name.rpartition("/")[2]


_NOTHING = Script()
_UNSURE = Script(is_sure=False)
_UNREAD = Script((Called(UNREAD, []),), is_sure=False)


def script(text: str, depth: int = 0) -> Script:
    """What a command runs, in its order; never raises. Of one that is not understood its words
    tell."""
    found = read(text, depth)
    called = (_called(one, depth) for one in found.found)
    return Script(tuple(filter(None, called)), found.is_sure, found.in_background)


def ends_with(command: str) -> Called | None:
    """What tells the exit code of a whole command; None where that is not plain."""
    found = read(command)
    if not found.is_sure or not found.found or found.in_background:
        return None
    last = found.found[-1]
    called = one = None if last.words[:1] == ["!"] else _called(last, 0)
    while one:
        if one.runs.commands and one.base in _WITH_OWN_EXIT:
            return None
        one = next(iter(one.runs.commands), None)
    return called


def program_of(command: str, *, is_last: bool = False) -> str:
    """What a command calls, with the word that tells more: `pytest`, `git push`. Of several
    programs the first one counts that does more than look, or the last, whose exit code it has."""
    leaves = list(script(command).leaves)
    found = min(leaves[-1:] if is_last else leaves, key=_rank, default=None)
    return named(found.name, found.words) if found else ""


def _rank(leaf: Called) -> int:
    purpose = purpose_of(leaf.name, leaf.words)
    return 2 if purpose is None else purpose in (Purpose.LOOK, Purpose.WAIT)


_ASSIGNS = pattern(r"([A-Za-z_]\w*)\+?=")
_HARMLESS = frozenset({"/dev/null", "/dev/stderr", "/dev/stdout", "/dev/tty"})
"""Where output may be sent, as if it were sent nowhere."""
_OPENS = names("! { } do done elif else esac exec fi if then until while")
"""Words of the shell before a command, or where one would be."""
_HEADS = frozenset({"case", "for", "select"})
"""Words that begin with a list: what follows it is a command of its own."""


def _called(simple: Simple, depth: int) -> Called | None:
    words, sets = list(simple.words), list[str]()
    targets = tuple(each for each in simple.targets if each not in _HARMLESS)
    while words:
        if assigned := _ASSIGNS.match(words[0]):
            sets.append(assigned[1])
        elif words[0] == "function":
            words.pop(0)
        elif words[0] not in _OPENS:
            break
        words = words[1:]
    if words and words[0] in _HEADS:
        sets += words[1:2]
        runs = _UNSURE if words[0] == "case" else _NOTHING  # an arm of it may look like an argument
        return Called("", [], targets, tuple(sets), runs)
    if not (words or sets or targets):
        return None
    if words[:2] == [PUT_IN, "-m"]:  # `$PYTHON -m pytest`
        words = words[1:]
    if words[:1] == ["-m"]:  # `uv run -m pytest`
        words.insert(0, "python")
    name, rest = (words[0], words[1:]) if words else ("", [])
    own, runs = _run_by(name, rest, depth)
    return Called(name, own, targets, tuple(sets), runs)


def _run_by(name: str, rest: Words, depth: int) -> tuple[Words, Script]:
    """A program's own words, and what it runs."""
    base = name.rpartition("/")[2]
    reads = _executed if base == "find" else _scripted if base in _SHELLS else _wrapped
    own, inner = reads(base, rest)
    if not inner:
        return own, _NOTHING
    if depth >= DEEPEST:
        return own, _UNREAD
    if base in _SHELLS:
        return own, script(inner[0][0], depth + 1)
    called = (_called(Simple(words, []), depth + 1) for words in inner)
    return own, Script(tuple(filter(None, called)))


_EXECUTES = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_FILE = pattern(r"[{\0]\}")
"""Where `find` puts the name of a file in."""


def _executed(name: str, rest: Words) -> tuple[Words, list[Words]]:
    """The words of `find` itself, and those of the programs that it runs for files."""
    own: Words = []
    found: list[Words] = []
    now = own
    for word in rest:
        if now is own and word in _EXECUTES:
            now = []
            found.append(now)
        elif now is not own and (word == ";" or (word == "+" and now[-1:] == [PUT_IN])):
            now = own
        else:
            now.append(_FILE.sub(PUT_IN, word))
    return own, found


class _Wrapper(NamedTuple):
    """A program that runs the one that follows."""

    values: frozenset[str]
    """Those of its options that a value follows."""
    after: frozenset[str]
    """It does so after one of these words; none of them for always."""
    own: int
    """How many words of its own come first: a time, an image."""


def _wrappers(table: str) -> Iterator[tuple[str, _Wrapper]]:
    for line in table.splitlines():
        programs, values, after, own = (*map(str.split, line.split(":")), [], [], [])[:4]
        for name in programs:
            yield name, _Wrapper(frozenset(values), frozenset(after), len(own))


WRAPPERS = dict(
    _wrappers("""
    builtin chronic command nohup setsid time unbuffer
    bunx npx pnpx: -p --package -c
    doas: -u -C
    env: -u -C --unset --chdir
    flock: -w --timeout -E:: FILE
    nice: -n --adjustment
    ionice: -c -n -p
    stdbuf: -i -o -e
    sudo: -u -g -h -p -C -D -r -t -U -T --user --group
    timeout: -k -s --kill-after --signal:: TIME
    uvx: --from --with --python -p
    watch: -n --interval
    xargs: -I -n -P -L -s -d -a -E
    xvfb-run: -s -n -e -f -p --server-args --server-num
    bun bundle mise npm yarn: --cwd --prefix -w --workspace -p --package: dlx exec x
    pnpm: -C -F --dir --filter -w: dlx exec
    conda mamba micromamba: -n -p --name --prefix --cwd: run
    coverage: --source --include --omit --rcfile --data-file --context --concurrency: run
    hatch: -e --env: run
    pdm pipenv: -p --project --python: run
    pipx rye: --spec: run
    poetry: -C -P --directory --project: run
    uv: -p --python --with --with-requirements --extra --group --directory --project --package \
        --env-file --index-url: run
    docker docker-compose kubectl podman: -H -c -e -f -h -l -m -n -p -u -v -w --add-host --cpus \
        --entrypoint --env --env-file --file --gpus --host --hostname --label --memory --mount \
        --name --namespace --net --network --platform --profile --project-directory \
        --project-name --publish --pull --shm-size --user --volume --workdir: exec run: IMAGE
""")
)
"""Their names: the options that a value follows: words of which one comes before what they run:
words of their own before it."""

_GROUPS = ("compose", "container", "tool")
"""Words before `run`: `docker compose run`, `uv tool run`."""

_SHELLS = frozenset({"bash", "dash", "ksh", "sh", "zsh"})
_WITH_OWN_EXIT = _SHELLS | {"find"}
"""Their exit code is not that of what they run, or of the last of it."""


def _wrapped(name: str, rest: Words) -> tuple[Words, list[Words]]:
    """The words of a program's own, and those of the program that it runs, if it runs one."""
    if rest[:1] == ["-m"] and rest[1:] and program_name(name) in PYTHONS:
        module = rest[1].partition(".")[0]
        is_known = module in WRAPPERS or program(module)
        return (rest[:1], [[module, *rest[2:]]]) if is_known else (rest, [])
    wrapper = WRAPPERS.get(name)
    if wrapper is None or (name == "command" and rest[:1] in (["-v"], ["-V"])):
        return rest, []
    given = after_options(rest, wrapper.values)
    if wrapper.after:
        while given and given[0] in _GROUPS:
            given = after_options(given[1:], wrapper.values)
        if not given or given[0] not in wrapper.after:
            return rest, []
        given = after_options(given[1:], wrapper.values)
    for _ in range(wrapper.own):
        given = after_options(given[1:], wrapper.values)
    if not given or (wrapper.after and not wrapper.own and _is_script(given)):
        return rest, []
    own = rest[: len(rest) - len(given)]
    puts_in = name == "xargs" and not any(word.startswith(("-I", "-i", "--rep")) for word in own)
    return own, [[*given, PUT_IN] if puts_in else given]


def _is_script(given: Words) -> bool:
    """Whether these words name a script of a project, which is no program: `hatch run test`."""
    is_named = by_word(given[0].rpartition(":")[2])
    return bool(is_named) and purpose_of(given[0], given[1:]) in (None, Purpose.RUN)


def _scripted(name: str, rest: Words) -> tuple[Words, list[Words]]:
    """The words of a shell's own, and the script that it is given with `-c`."""
    given = after_options(rest, ("-o", "+o", "-O", "--rcfile", "--init-file"))
    own = rest[: len(rest) - len(given)]
    has = "c" in letters(own) and given and PUT_IN not in given[0]
    return (own, [given]) if has else (rest, [])


class Effect(NamedTuple):
    """What a command may do."""

    writes: bool
    """It may write to files."""
    stays: bool = False
    """A process of it may still write when the command has ended."""


def effect(command: str, unknown: frozenset[str] = frozenset()) -> Effect:
    """What a command may do; never raises. `unknown` are programs that are no longer what their
    names say."""
    found = script(command)
    writes = _writes(found, unknown)
    return Effect(writes, writes and _stays(found))


_DEFINES = pattern(
    r"\bfunction\s+([^\s(){};&|]{1,100})"
    r"|(?<![^\s(){};&|='\"])([^\s(){};&|='\"]++)\s*+\(\s*+\)"
)
_ALIAS = pattern(r"(?<![^\s='\"])([^\s='\"]++)['\"]?=")


def defined(command: str) -> frozenset[str]:
    """The names of functions and aliases that a command may define."""
    command = command[:LONGEST]
    found = {one or other for one, other in _DEFINES.findall(command)}
    return frozenset(found.union(_ALIAS.findall(command) if "alias" in command else ()))


def _writes(found: Script, unknown: frozenset[str]) -> bool:
    return not found.is_sure or any(_may_write(one, unknown) for one in found.commands)


def _may_write(one: Called, unknown: frozenset[str]) -> bool:
    if one.targets or any(name.startswith(NAMES_THAT_ACT) for name in one.sets):
        return True
    return bool(one.name and not _reads(one, unknown)) or _writes(one.runs, unknown)


def _reads(one: Called, unknown: frozenset[str]) -> bool:
    """Whether a program itself writes no file. One in a folder may be another of the same name."""
    name = one.name.removeprefix("/usr").removeprefix("/bin/")
    program = PROGRAMS.get(name)
    if program is None or name in unknown:
        return False
    return one.words in (["--version"], ["-V"]) or program.reads(one.words)


_STAY = names("daemonize disown nohup screen service setsid systemctl tmux")
_STARTS = names("--detach restart start up")


def _stays(found: Script) -> bool:
    return found.in_background or any(_starts(one) or _stays(one.runs) for one in found.commands)


def _starts(one: Called) -> bool:
    """Whether a program leaves a process behind, as far as its words tell."""
    if one.name in CONTAINERS:
        return "d" in letters(one.words) or not _STARTS.isdisjoint(one.words)
    return one.name in _STAY
