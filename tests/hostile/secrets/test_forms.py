"""Each form in which a text tells a secret, through all that hides it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from oh_tui.text.redact import masked, redact, redact_json, safe, safe_line
from tests.hostile.kinds import run, write_zip
from tests.hostile.secrets.secret_forms import all_forms
from tests.hostile.test_json import said_by


def parts(secret: str) -> list[str]:
    """The secret, and its two halves: none is to be seen."""
    half = len(secret) // 2
    return [secret[:half], secret[half:]]


def told(text: str, secret: str) -> bool:
    return any(part in text for part in parts(secret))


def test_there_are_hundreds_of_forms() -> None:
    forms = all_forms()
    assert len(forms) > 500 and all(told(text, secret) for text, secret in forms)


def test_no_form_of_a_secret_stays() -> None:
    seen = [
        (hide.__name__, text)
        for text, secret in all_forms()
        for hide in (redact, safe, masked, safe_line)
        if told(hide(text), secret)
    ]
    assert not seen, f"{len(seen)}: {seen[:40]}"


def test_no_form_of_a_secret_is_in_json() -> None:
    for text, secret in all_forms():
        for value in ({"text": text}, {text: 1}, [json.dumps({"a": text})], {"a": {"b": [text]}}):
            shown = json.dumps(redact_json(value), ensure_ascii=False)
            assert not told(shown, secret) and not told(shown.replace("\\\\", "\\"), secret), value


def planted(folder: Path, first: int = 0) -> Path:
    """A run in whose every text a form stands, from the first on, each form several times."""
    texts = [text for text, _ in all_forms()]
    next_text = itertools.cycle(texts[first:] + texts[:first]).__next__
    return write_zip(folder / "run.zip", run(next_text), id="cd" * 16)


OF_RUN = (
    *(("show",), ("why",), ("steps",), ("steps", "--json"), ("tail", "--json"), ("events",)),
    *(("changes", "--json"), ("failures", "--json"), ("context", "--json"), ("audit", "--json")),
    *(
        ("export", "--to", form, "--yes")
        for form in ("md", "html", "jsonl", "atif", "cast", "chat")
    ),
    ("export", "--to", "otlp", "--messages", "--whole", "--yes"),
)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("first", [0, 97, 640])
def test_no_form_of_a_secret_leaves_a_run(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    path = planted(tmp_path, first)
    secrets = {part for _, secret in all_forms() for part in (secret, *parts(secret))}
    said_at_all = 0
    for name, *flags in OF_RUN:
        _, out, err = said_by(name, path, *flags)
        assert "bug in oh-tui" not in err, (name, err)
        left = [secret for secret in secrets if secret in out + err]
        assert not left, (name, flags, left, out[out.index(left[0]) - 200 :][:400])
        said_at_all += len(out)
    said_by("index", path)
    for table in ("runs", "steps", "failures"):
        _, out, _ = said_by("query", f"select * from {table}", "--json")
        assert not [secret for secret in secrets if secret in out], table
    assert said_at_all > 200_000
