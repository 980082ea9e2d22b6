"""Lexers and token types of pygments. All imports of pygments are here, because they take 0.1 s."""

from __future__ import annotations

from functools import lru_cache

from pygments.lexer import Lexer  # type: ignore[import-untyped]
from pygments.lexers import (  # type: ignore[import-untyped]
    find_lexer_class_by_name,
    find_lexer_class_for_filename,
    get_all_lexers,
)
from pygments.token import Token  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]


@lru_cache(maxsize=64)
def find_lexer(name: str) -> Lexer | None:
    """The lexer for a language or for the file name of a path."""
    file = name.rstrip("/").rpartition("/")[2]
    found = None
    # Language first: loading the file names of all lexers takes 0.1 s.
    language = _language(file.rpartition(".")[2]) if "." in file else file
    if language:
        try:
            found = find_lexer_class_by_name(language)
        except ClassNotFound:
            found = None
    if found is None and (file != name or "." in file):
        found = find_lexer_class_for_filename(file)
    return None if found is None else found(stripnl=False)


@lru_cache(maxsize=64)
def _language(ending: str) -> str:
    """The name of the only lexer for files with this ending; "" for none or several."""
    claims = [names[0] for _, names, files, _ in get_all_lexers(plugins=False)
              if names and f"*.{ending}" in files]  # fmt: skip
    return claims[0] if len(claims) == 1 else ""


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
