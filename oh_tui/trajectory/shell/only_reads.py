"""The table of programs that write no file, and of tools that do not: all others may."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from oh_tui.text.patterns import pattern

Check = Callable[[list[str]], bool]
"""Whether a program with these arguments writes no file."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_QUIET = _names("""
    : [ [[ base64 basename break cal cat cd cksum cmp comm continue cut date df diff dir
    dirname dirs du echo egrep exit expand expr false fgrep fold free getconf getent grep
    groups head hexdump hostname id jobs join locale logname ls lsblk md5sum nl nproc
    nslookup od paste pgrep popd printenv printf ps pushd pwd read readlink realpath return
    rev seq sha1sum sha256sum sha512sum shift sleep stat strings sum tac tail test times
    tput tr true tty type umask uname uptime users vmstat wait wc whereis which who whoami
    zcat zgrep
""")
"""They write to their output only, whatever their arguments."""

GIT = _names("""
    blame cat-file cherry count-objects describe diff diff-files diff-index diff-tree
    for-each-ref grep log ls-files ls-tree merge-base name-rev range-diff rev-list
    rev-parse shortlog show show-ref status var version whatchanged
""")
"""Commands of git that leave the working folder as it is."""

_SED_LINES = pattern(r"(?:\d{1,9}|\$)?(?:,(?:\d{1,9}|\$|\+\d{1,9}))?[pdq=]?")
_SED_FLAGS = pattern(r"[gpiI0-9]*")
_AWK = pattern(r"[^>|@`\0]*")
_AWK_CALLS = pattern("system|getline|close|include")

PUT_IN = "\0"
"""Stands in a word for what the shell may replace by options: a variable, a name of a file that
begins with `*`, a list in braces."""


def _lacks(*options: str) -> Check:
    """No option begins like one of these, and nothing can become one."""
    return lambda words: not any(word.startswith(options) or PUT_IN in word for word in words)


def _lacks_letters(letters: str, *options: str) -> Check:
    """As `_lacks`, and none of these letters is an option, or one of several in a word."""

    def check(words: list[str]) -> bool:
        short = (word for word in words if word[:1] == "-" and word[:2] != "--")
        return _lacks(*options)(words) and not any(set(letters) & set(word) for word in short)

    return check


def _plain(words: list[str]) -> bool:
    """At most one file is named, which is read: a second one would be written."""
    return _lacks()(words) and sum(word[:1] != "-" for word in words) < 2


def _sed(words: list[str]) -> bool:
    """Without `-i`, and with a script that is known to print only: `w` and `e` act."""
    scripts: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-n", "-E", "-r", "-u", "-nE", "-nr", "--quiet", "--silent"):
            continue
        if word in ("-e", "-ne") and rest:
            scripts.append(rest.pop(0))
        elif word.startswith("-"):
            return False
        elif scripts:
            return _lacks("-")([word, *rest])
        else:
            scripts.append(word)
            return _all_print(scripts) and _lacks("-")(rest)
    return _all_print(scripts)


def _all_print(scripts: list[str]) -> bool:
    return all(_prints(script) or _replaces(script) for script in scripts)


def _prints(script: str) -> bool:
    parts = script.replace(" ", "").replace("\n", ";").split(";")
    return all(_SED_LINES.fullmatch(part) for part in parts)


def _replaces(script: str) -> bool:
    """One `s` without a backslash before a backslash, which would hide where a part ends."""
    if script[:1] != "s" or script[1:2] not in "/|#,:" or "\\\\" in script or "\n" in script:
        return False
    parts = script.replace("\\" + script[1], "").split(script[1])
    return len(parts) == 4 and bool(_SED_FLAGS.fullmatch(parts[3]))


def _awk(words: list[str]) -> bool:
    rest = list(words)
    while rest and rest[0][:2] in ("-F", "-v"):
        rest = rest[1 if len(rest[0]) > 2 else 2 :]
    if not rest or rest[0].startswith("-") or _AWK_CALLS.search(rest[0]):
        return False
    return bool(_AWK.fullmatch(rest[0])) and _lacks("-")(rest[1:])


def _git(words: list[str]) -> bool:
    """A command that only reads, without options that write or run something."""
    rest = list(words)
    while rest and rest[0] in ("--no-pager", "-P", "-C"):
        rest = rest[2 if rest[0] == "-C" else 1 :]
    acting = ("--ou", "-O", "-o", "--op", "--ext", "--textc")
    if not rest or not _lacks(*acting)(rest):
        return False
    name, given = rest[0], rest[1:]
    if name == "branch":
        return all(word in ("-a", "-r", "-v", "-vv", "--list", "--show-current") for word in given)
    if name == "remote":
        return given in ([], ["-v"]) or given[:1] in (["show"], ["get-url"])
    if name == "stash":
        return given[:1] in (["list"], ["show"])
    if name == "config":
        return given[:1] in (["--get"], ["--list"], ["-l"], ["--get-all"])
    if name == "tag":
        return given in ([], ["-l"], ["--list"])
    return name in GIT


PROGRAMS: Mapping[str, Check] = {
    **dict.fromkeys(_QUIET, lambda words: True),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), _awk),
    **dict.fromkeys(
        ("node", "npm", "pip", "pip3", "python", "python3"),
        lambda words: words in (["--version"], ["-V"]),
    ),
    "column": _lacks(),
    "file": _lacks_letters("C", "--c"),
    "find": _lacks("-delete", "-exec", "-ok", "-fprint", "-fls"),
    "git": _git,
    "jq": _lacks(),
    "rg": _lacks("--pre", "--hostname-bin"),
    "sed": _sed,
    "set": lambda words: all(word.startswith(("-", "+", "pipefail", "errexit")) for word in words),
    "sort": _lacks_letters("oT", "--o", "--c", "--t"),
    "tree": _lacks_letters("o", "--o"),
    "uniq": _plain,
    "xxd": _plain,
}
"""By the name of the program, or of what the shell itself does."""

NAMES_THAT_ACT = ("BASH", "DYLD_", "ENV", "GIT_", "IFS", "LD_", "LESS", "PAGER", "PATH", "PROMPT_",
                  "PS", "RIPGREP_", "GREP_", "SHELL", "AWK")  # fmt: skip
"""How names of variables begin that may change what a program does."""

RUNS_ANOTHER = {"builtin": 0, "command": 0, "time": 0, "nice": 0, "timeout": 1}
"""Programs that run the one that follows -> how many words of their own come first. With options
of their own they are not known."""

_STAY = _names("daemonize disown nohup screen service setsid systemctl tmux")
_CONTAINERS = _names("docker docker-compose podman")
_STARTED = _names("--detach restart start up")
_PARTS = pattern(r"[\n;&|()`]")


def stays(command: str) -> bool:
    """Whether words of a command tell of a process that stays when it has ended, beside `&`."""
    for part in _PARTS.split(command):
        words = part.split()
        name = next((word for word in words[:2] if word != "sudo"), "")
        if name in _STAY:
            return True
        if name in _CONTAINERS:
            short = any(word[0] == "-" and word[1:2] != "-" and "d" in word for word in words)
            if short or _STARTED & set(words):
                return True
    return False
