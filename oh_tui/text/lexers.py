"""Lexers and token types of pygments. All imports of pygments are here, because they take 0.1 s."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache, lru_cache

from pygments.lexer import Lexer  # type: ignore[import-untyped]
from pygments.lexers import find_lexer_class, get_all_lexers  # type: ignore[import-untyped]
from pygments.token import Token  # type: ignore[import-untyped]

MEASURED = (
    "Python", "Bash", "JSON", "YAML", "TOML", "XML", "HTML", "CSS", "JavaScript",
    "TypeScript", "Java", "Go", "Rust", "Ruby", "PHP", "SQL", "Docker", "Diff",
    "Markdown", "C#", "Kotlin", "Swift", "Lua", "S", "PowerShell",
)  # fmt: skip
"""The only lexers that are called, by pygments' names: many others take hours for a page of hostile
text, and those of C seconds for one token. A test measures these. Of two for one file ending the
earlier is taken."""

_TEXT = ("Text only", "Text output")

_LONGEST = 200
"""Characters of a name that is looked up."""


@lru_cache(maxsize=64)
def find_lexer(name: str) -> Lexer | None:
    """The lexer for a language or for the file name of a path; None for what is shown plain."""
    known = _known(name)
    if known not in MEASURED:
        return None
    # the lexer of Markdown would call any other for the code in it
    options = {"handlecodeblocks": False} if known == "Markdown" else {}
    return find_lexer_class(known)(stripnl=False, **options)


def without_colours(name: str) -> str:
    """What to say of a language that pygments knows and whose lexer is not among the measured."""
    known = _known(name)
    return f"plain: no colours for {known}" if known and known not in (*MEASURED, *_TEXT) else ""


@lru_cache(maxsize=256)
def _known(name: str) -> str:
    """The language as pygments calls it, "" for none."""
    file = name.rstrip("/").rpartition("/")[2]
    names, files, patterns = _names()
    if not file or len(file) > _LONGEST:
        return ""
    ending = f"*.{file.rpartition('.')[2]}" if "." in file else ""
    if ending in files:
        return files[ending]
    if not ending and (found := names.get(file.lower())):
        return found
    if file in files:
        return files[file]
    return next((known for one, known in patterns if fnmatchcase(file, one)), "")


@cache
def _names() -> tuple[dict[str, str], dict[str, str], list[tuple[str, str]]]:
    """Languages by their names, by file names and endings as they stand, and by other patterns."""
    rank = {name: number for number, name in enumerate(MEASURED)}
    names: dict[str, str] = {}
    files: dict[str, str] = {}
    patterns: list[tuple[str, str]] = []
    everything = get_all_lexers(plugins=False)  # names alone: loads no lexer
    for known, aliases, globs, _ in sorted(everything, key=lambda one: rank.get(one[0], len(rank))):
        for alias in aliases:
            names.setdefault(alias.lower(), known)
        for glob in globs:
            if any(sign in glob.removeprefix("*") for sign in "*?["):
                patterns.append((glob, known))
            else:
                files.setdefault(glob, known)
    return names, files, patterns


@lru_cache(maxsize=256)
def style_of(kind: object) -> str:
    """The name of our style for a kind of token."""
    for parent, name in (
        (Token.Comment, "comment"),
        (Token.Keyword, "keyword"),
        (Token.Operator.Word, "keyword"),
        (Token.Literal.String, "string"),
        (Token.Literal.Number, "literal"),
        (Token.Name.Function, "name"),
        (Token.Name.Class, "name"),
        (Token.Name.Tag, "keyword"),
        (Token.Name.Attribute, "name"),
        (Token.Name.Decorator, "name"),
        (Token.Name.Builtin, "name"),
        (Token.Name.Variable, "variable"),
    ):
        if kind in parent:
            return name
    return ""
