"""Foreign text: control sequences and secrets are removed, the rest stays."""

import time
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import wcwidth

from oh_tui.text import clean as clean_module
from oh_tui.text import clean as pieces_module
from oh_tui.text import redact as redact_module
from oh_tui.text import secret_patterns, secret_values
from oh_tui.text.clean import MOST_MARKS, PIECE, clean, clean_line, clean_pieces
from oh_tui.text.redact import (
    HIDDEN,
    hide_split,
    hold,
    holds_key,
    is_secret_name,
    masked,
    redact,
    redact_json,
    safe,
    safe_line,
    without_held,
)
from tests.hostile.texts import HOSTILE


@given(HOSTILE)
def test_cleaned_text_has_no_control_and_no_hidden_character(text: str) -> None:
    for char in clean(text):
        category = unicodedata.category(char)
        assert char in "\n\t" or category != "Cc"
        assert category != "Cs"
        assert not 0x200B <= ord(char) <= 0x200F and not 0x202A <= ord(char) <= 0x202E


@given(HOSTILE)
def test_each_character_of_cleaned_text_has_the_same_width_for_all_who_measure(text: str) -> None:
    marks = 0
    for char in clean(text):
        if unicodedata.category(char) not in ("Cn", "Co", "Cc"):
            assert cell_len("a" + char) - 1 == wcwidth(char), ascii(char)
        marks = marks + 1 if unicodedata.category(char)[0] == "M" else 0
        assert marks <= MOST_MARKS


@given(HOSTILE)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_line(clean_line(text)) == clean_line(text)


@given(st.text(st.sampled_from("abc xyz.\n\tü漢🙂é")))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@given(HOSTILE)
def test_a_cleaned_line_is_one_line_that_can_be_encoded(text: str) -> None:
    line = clean_line(text)
    assert line == line.strip() and "  " not in line and len(line.splitlines()) <= 1
    line.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b[?25lx\x1b[2J\x1b[H", "x"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://a.b\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9d0;title\x9ctext", "text"),
        ("\x1bPq#0;1\nsixel\x1b\\text", "text"),
        ("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\text", "text"),
        ("\x1b(Btext\x1b=\x1b7", "text"),
        ("\x1b", ""),
        ("a\x1b[31", "a"),
        ("a\r\nb\rc\r\r\nd", "a\nb\nc\nd"),
        ("nul\x00 del\x7f bell\x07 back\x08", "nul del bell back"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("in\u200bvis\u2060ible\ufeff", "invisible"),
        ("👩\u200d💻 ❤\ufe0f", "👩💻 ❤"),
        ("tag\U000e0041\U000e0042s", "tags"),
        ("👍🏽 🏽", "👍 "),
        ("🇩🇪🇫 x", "DEF x"),
        ("\u1112\u1161\u11ab\u1100 \u1161", "한\u1100 "),
        ("e" + "\u0301" * 30 + "x", "e" + "\u0301" * 8 + "x"),
        ("\u1161\u0301" * 30, "\u0301" * 8),
        ("ཧཱུྃ་ हिन्दी שָׁלוֹם ไทยนี้ ①②③④⑤⑥⑦⑧⑨⑩", "ཧཱུྃ་ हिन्दी שָׁלוֹם ไทยนี้ ①②③④⑤⑥⑦⑧⑨⑩"),
        ("half\ud83d", "half\ufffd"),
        ("pair\ud83d\ude00", "pair😀"),
        ("line\u2028sep", "line\nsep"),
        ("col\tumn", "col\tumn"),
    ],
)
def test_what_is_cleaned_away(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_control_string_without_its_end_does_not_swallow_what_follows() -> None:
    assert clean("\x1b]0;title\nevidence") == "0;title\nevidence"
    assert "evidence" in clean("\x1bPevidence that stays")


def _work(function: Callable[[str], str], text: str) -> float:
    """Processor time in seconds, the least of three runs."""
    times = []
    for _ in range(3):
        start = time.process_time()
        function(text)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize(
    "piece",
    [
        "\x1b]",
        "\x9d",
        "\x1bP",
        "\x90",
        "\x1b[1",
        "\r",
        "\ud800",
        "\u0301",
        "\u1161\u0301",
        "🇩",
        "sk-",
        "sk-a ",
        "eyJaaaaaaaaa.",
        "-----BEGIN PRIVATE KEY-----",
        "://a:",
        "authorization:",
        "bearer aaaaaaaa",
        "token: ",
        "token='",
        "password=",
        "token",
        "token ",
    ],
)
def test_hostile_text_costs_no_more_than_in_proportion(piece: str) -> None:
    # a quadratic pattern takes 256 times as long for 16 times the text; 60 leaves room for noise
    small, large = piece * 1000, piece * 16_000
    for function in (clean, redact):
        assert _work(function, large) < 60 * max(_work(function, small), 0.0003)


ACROSS_LINES = st.lists(
    st.sampled_from(
        [
            "\n", "\n", "\r", "\r\n", "\u2028", " ", "\t", "a b", "x" * 9, "'", '"', ":", "=", "=>",
            "_2", "\x1bP", "\x90", "\x1b_", "\x1b\\", "\x9c", "\x1b]", "\x07", "\x1b[1m", "\x1b",
            "\x9b", "\u0301", "\u1100", "\u1161", "🇩", "\ud83d", "\udc00", "\u200b", "\ue000",
            "token", "Password", "api_key", "secret", "bearer", "Basic", "authorization", "cookie",
            "abc123def456ghi789", "sk-proj-" + "abc123def456ghi789", "-----BEGIN PRIVATE KEY-----",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj12", "-----END PRIVATE KEY-----", "-----",
        ]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@given(ACROSS_LINES)
def test_a_long_text_is_worked_on_in_pieces_as_if_it_were_one(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole, hidden = clean(text), redact(text)
        patch.setattr(pieces_module, "PIECE", 8)
        assert "".join(clean_pieces(text)) == text
        assert clean(text) == whole
        assert redact(text) == hidden


@pytest.mark.parametrize(
    "line",
    [
        "x = 1\n",
        "é\n",
        "\x1b[1mé\x1b[0m\n",
        "token: \nab\n",
        "\x1bPa\nb\x1b\\\n",
        "a\u202e",
        "漢\u0301",
    ],
)
def test_no_piece_of_a_long_text_is_long(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[int] = []

    def counted(text: str) -> str:
        worked.append(len(text))
        return text

    monkeypatch.setattr(clean_module, "_clean", counted)
    monkeypatch.setattr(redact_module, "_redact", counted)
    text = line * (10 * PIECE // len(line))
    for function in (clean, redact) if "\n" in line else (clean,):
        worked.clear()
        assert function(text) == text
        assert sum(worked) == len(text)
        assert max(worked) <= 2 * PIECE + len(line)


def test_what_looks_like_another_key_does_not_end_a_private_key() -> None:
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj12"
    other = f"MIIEvQIBAD+{'AKIA' + 'IOSFODNN7EXAMPLE'}+kiG9w0BAQEFAASCBKcw"
    assert redact(f"-----BEGIN PRIVATE KEY-----\n{other}\n{line}\nends here") == (
        f"{HIDDEN}\nends here"
    )


SECRETS = [
    "sk-ant-api03-" + "abcdefghijkl0123",
    "sk-proj-" + "abc123def456ghi789",
    "ghp_" + "a1B2" * 9,
    "gho_" + "a1B2" * 9,
    "github_pat_11ABC_" + "x" * 40,
    "glpat-" + "abcdefghij1234567890",
    "xoxb-" + "1234567890-abcdef",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ASIA" + "IOSFODNN7EXAMPLE",
    "AIza" + "Sy" * 18,
    "hf_" + "a" * 34,
    "npm_" + "a" * 34,
    "gsk_" + "a" * 34,
    "pypi-" + "b" * 60,
    "gAAAA" + "ABrBZLwKfdRohQDsPTyJU01X4fVEWqh3bg5l4wq4fb7BTRAX==",
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0.abc-_d",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_known_key_is_hidden_wherever_it_stands(secret: str) -> None:
    assert redact(secret) == HIDDEN
    assert redact(f"fetch({secret!r}) # {secret}") == f"fetch('{HIDDEN}') # {HIDDEN}"
    assert secret not in redact(f"https://{secret}@example.org/x.git")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdef123456789", f"Authorization: {HIDDEN}"),
        ("use bearer abcdef123456789 now", f"use bearer {HIDDEN} now"),
        ("X-Session-API-Key: 2ZtVvQRUJR8P5QG7", f"X-Session-API-Key: {HIDDEN}"),
        ("curl -H 'X-Session-API-Key: aaaa1111bbbb'", f"curl -H 'X-Session-API-Key: {HIDDEN}'"),
        ('"session_api_key": "abcdefg"', f'"session_api_key": "{HIDDEN}"'),
        ('{\\"api_key\\": \\"abc\\"}', f'{{\\"api_key\\": \\"{HIDDEN}\\"}}'),
        ("api_key=abc12345&x=1", f"api_key={HIDDEN}&x=1"),
        ("export MY_TOKEN=abcdefgh", f"export MY_TOKEN={HIDDEN}"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", f"AWS_SECRET_ACCESS_KEY={HIDDEN}"),
        ("password: hunter2", f"password: {HIDDEN}"),
        ("password: 'two words'", f"password: '{HIDDEN}'"),
        ("https://user:pa55@host/x", f"https://user:{HIDDEN}@host/x"),
        ("Cookie: sid=abc12345; b=2", f"Cookie: {HIDDEN}"),
        (
            "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----\nb",
            f"a\n{HIDDEN}\nb",
        ),
    ],
)
def test_the_value_is_hidden_and_its_name_kept(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "commit 8c4dc62190b5403a8387725491d99bc98c4dc621",
        "73673c4b-1dd3-4814-9077-5e185e79de09",
        "token = get_token()",
        "def f(token: str, password: str | None = None) -> None:",
        "self.api_key = api_key",
        "api_key=os.environ['API_KEY']",
        "max_tokens: 4096, prompt_tokens=1200, token: 12",
        "api_key: **********",
        "PASSWORD=${PASSWORD} password=$PASS",
        "if token == 'abc':",
        "task-force-is-a-word1234567 risk-abc1234567890123456",
        "https://host:8080/x@y",
        "basic auth is here, a Bearer token too",
        "Authorization is needed: x",
        "Unexpected token: end of line",
    ],
)
def test_ordinary_text_is_not_redacted(text: str) -> None:
    assert redact(text) == text


@given(HOSTILE)
def test_redacting_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "name",
    [
        "session_api_key",
        "api_key",
        "X-Session-API-Key",
        "llm_api_key",
        "aws_secret_access_key",
        "token",
        "access_token",
        "refreshToken",
        "password",
        "secrets",
        "Authorization",
        "SECRET_KEY_BASE",
        "appSecretV2",
        "db_password_ro",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["prompt_tokens", "llm_api_key_set", "key", "tokens", "token_count", "secretary", ""]
)
def test_names_of_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


def test_json_keeps_its_shape_and_loses_its_secrets() -> None:
    secret = SECRETS[0]
    value = {
        "llm": {"model": "gpt", "api_key": "short", "max_tokens": 12, "per_turn_token": 7},
        "secrets": {"A": {"value": "x"}, "B": ["y", None]},
        "env": [{"name": "MY_TOKEN", "value": "abc"}, {"name": "HOME", "value": "/root"}],
        "text": f"key {secret}",
        "password": "",
        "ok": [True, None, 1.5],
    }
    assert redact_json(value) == {
        "llm": {"model": "gpt", "api_key": HIDDEN, "max_tokens": 12, "per_turn_token": 7},
        "secrets": {"A": {"value": HIDDEN}, "B": [HIDDEN, None]},
        "env": [{"name": "MY_TOKEN", "value": HIDDEN}, {"name": "HOME", "value": "/root"}],
        "text": f"key {HIDDEN}",
        "password": "",
        "ok": [True, None, 1.5],
    }
    assert value["text"] == f"key {secret}", "the original was changed"


def test_what_is_masked_while_a_key_comes_is_not_kept_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redact_module, "_held", ())
    monkeypatch.setattr(redact_module, "_keys", {})
    key, mask = "our.key-of-no-shape-8", redact_module._masked

    def late(text: str) -> str:
        """As in another thread, which had read the keys before."""
        found = mask(text)
        hold(key)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(redact_module, "_masked", late)
        assert key in masked(f"says {key}")
    assert masked(f"says {key}") == f"says {HIDDEN}"


def test_a_key_that_is_held_is_hidden_whatever_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact_module, "_held", ())
    monkeypatch.setattr(redact_module, "_keys", {})
    for key in ("our.first", "our.first.and.second", "short", "two words of it", ""):
        hold(key)
    told = "our.first.and.second, our.first! short, two words of it"
    assert redact(told) == f"{HIDDEN}, {HIDDEN}! short, two words of it"
    assert safe_line("our.\u200bfirst\n x") == f"{HIDDEN} x"
    assert holds_key(b'{"a": "our.first"}') and not holds_key(b"our")
    hold('ours"with\\both\u00e9')
    assert holds_key(rb'{"a": "ours\"with\\both\u00e9"}')
    assert holds_key('{"a": "ours\\"with\\\\both\u00e9"}'.encode())


def test_no_number_of_keys_of_others_takes_the_place_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redact_module, "_held", ())
    monkeypatch.setattr(redact_module, "_keys", {})
    for key in ("our-own-key", *(f"key-of-another-{n:04}" for n in range(2_000))):
        hold(key)
    assert redact("our-own-key key-of-another-0007 key-of-another-0700 key-of-another-1999") == (
        f"{HIDDEN} {HIDDEN} key-of-another-0700 {HIDDEN}"
    ), "the first, which are ours, and the latest"


def test_json_does_not_show_a_secret_that_something_invisible_splits() -> None:
    secret = SECRETS[0]
    split = f"{secret[:12]}\x1b[01;31m{secret[12:16]}\u200b{secret[16:]}"
    shown = redact_json({split: f"key {split}", "b": "\x1b[31mred"})
    hidden = f"{HIDDEN}\x1b[01;31m"
    assert shown == {hidden: f"key {hidden}", "b": "\x1b[31mred"}


SPLITS = {
    "a carriage return": "\r",
    "a line that a shell wraps": " \r",
    "several": "\r\r",
    "a colour": "\x1b[1;31m",
    "a title": "\x1b]0;x\x07",
    "a backspace": "\b",
    "a letter taken back": "x\b",
    "nothing to see": "\u200b\u2060",
    "controls": "\0\x7f\x85\v\f",
    "all of them": "\x1b[m\r\u200b\b\x9b0m",
}


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
@pytest.mark.parametrize("place", [1, 5, 12, 20])
def test_what_a_reader_does_not_see_hides_no_secret(
    split: str, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact_module, "_held", ("our.key-of-no-shape-7",))
    for key in (SECRETS[0], "our.key-of-no-shape-7"):
        text = f"so {key[:place]}{split}{key[place:]} there"
        assert hide_split(text).startswith(f"so {HIDDEN}") and safe(text) == f"so {HIDDEN} there"
        assert clean(masked(text)) == f"so {HIDDEN} there"
        assert safe_line(f"foo\r{SECRETS[0]}") == f"foo {HIDDEN}", (
            "joined it would be a longer word"
        )
        (name,) = redact_json({text: 1})
        assert clean(name) == f"so {HIDDEN} there"


@pytest.mark.parametrize("encode", [str.upper, str.lower])
@pytest.mark.parametrize(
    ("before", "after"), [("https://h/?k=", "&z=%20y"), ("q%3D", "%26z"), ("100%25\n", "\n%2d")]
)
def test_a_secret_that_is_encoded_in_an_address_is_hidden(
    before: str, after: str, encode: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = "our/key+of=no shape%7"
    monkeypatch.setattr(redact_module, "_held", (ours,))
    for key in (ours, SECRETS[0]):
        percent = "".join(char if char.isalnum() else encode(f"%{ord(char):02x}") for char in key)
        text = f"{before}{percent}{after}"
        assert masked(text) == hide_split(text) == f"{before}{HIDDEN}{after}"
        assert without_held(text) == (f"{before}{HIDDEN}{after}" if key == ours else text)
    assert masked(f"x?api_key%3Dab12cd34ef56{after}") == f"x?api_key%3D{HIDDEN}{after}"


def test_what_is_encoded_in_an_address_stays_where_it_is_no_secret() -> None:
    text = "see https://x/a%20b?c=%2Fd and 100%25, %2d items\ntoken: %20s"
    assert masked(text) == text


@given(texts=st.lists(st.sampled_from([*SPLITS.values(), *SECRETS[:2], " ", "a b", "\n"])))
def test_a_secret_among_what_a_reader_does_not_see_is_hidden(texts: list[str]) -> None:
    text = " ".join(texts)
    assert all(secret not in masked(text) and secret not in safe(text) for secret in SECRETS[:2])


def test_what_a_reader_does_not_see_stays_where_it_splits_no_secret() -> None:
    text = "plain \x1b[31mred\x1b[m 10%\r20%\r\ndone\b"
    assert hide_split(text) == masked(text) == text


@pytest.mark.parametrize("before", ["call_", "x-", "/", "mcp__"])
def test_a_secret_in_a_name_is_hidden(before: str) -> None:
    assert redact(f"{before}ghp_{'aB3' * 12}") == f"{before}{HIDDEN}"
    assert redact(f"{before}sk-ant-api03-abc") == f"{before}{HIDDEN}"
    assert redact(f"highs_{'aB3' * 3} task-ant-colony") == f"highs_{'aB3' * 3} task-ant-colony"
    assert redact(f"Deployghp_{'aB3' * 12}") == f"Deploy{HIDDEN}"


def test_two_secret_names_stay_two() -> None:
    value = {"sk-ant-aaaa1111": 1, "sk-ant-bbbb2222": 2, HIDDEN: 3, f"{HIDDEN} 2": 4}
    assert redact_json(value) == {
        f"{HIDDEN} 3": 1,
        f"{HIDDEN} 4": 2,
        HIDDEN: 3,
        f"{HIDDEN} 2": 4,
    }


def test_json_may_be_deeper_than_python_can_recurse() -> None:
    value: Any = "password=hunter2"
    for _ in range(20_000):
        value = [value]
    copy = redact_json(value)
    while isinstance(copy, list):
        copy = copy[0]
    assert copy == f"password={HIDDEN}"


def test_an_empty_value_does_not_hide_the_line_below() -> None:
    assert redact("SESSION_SECRET=\n+GITHUB_CLIENT_ID=") == "SESSION_SECRET=\n+GITHUB_CLIENT_ID="
    assert redact("password:\n  hunter22!") == f"password:\n  {HIDDEN}"


# Keys that are cut short, and words that begin as keys do


@pytest.mark.parametrize(
    "start",
    ["sk-ant-", "sk-or-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-oh-", "sk-lf-", "sk_live_",
     "sk_test_", "rk_live_", "rk_test_", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_",
     "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-",
     "xoxr-", "xoxs-", "xapp-", "AIza", "pypi-Ag", "gAAAAAB"],
)  # fmt: skip
def test_what_follows_the_prefix_of_a_key_is_hidden_whatever_its_length(start: str) -> None:
    for rest in ("x", "Q7", "abcdefg", "Ab1" * 30):
        for text in ("{}", "'{}'", "the key {}, cut", "a={}\n", "({})."):
            assert redact(text.format(start + rest)) == text.format(HIDDEN)
    for alone in (start, f"keys begin with {start} and go on", f"{start}...", f"ta{start}x"):
        assert redact(alone) == alone


@pytest.mark.parametrize(
    "key", ["sk-1", "sk-abc4", "sk-" + "a" * 16, "hf_Ab", "npm_Q1", "gsk_aBc", "AKIA12", "AKIAB2CD"]
)
def test_short_keys_are_told_from_words(key: str) -> None:
    assert redact(f"use {key} here") == f"use {HIDDEN} here"


@pytest.mark.parametrize(
    "words",
    ["task-force", "risk-based", "sk-learn", "sk-SK", "desk-or-chair", "task-ant-hill", "hf_model",
     "hf_hub_download", "npm_config_cache", "npm_package_version", "gsk_renderer_new",
     "pypi-publish", "ASIA2026", "ASIAPACIFIC", "AKIAK", "eyJ", "brisk-admin-x"],
)  # fmt: skip
def test_words_that_begin_as_keys_do_stay(words: str) -> None:
    assert redact(f"the {words} is seen") == f"the {words} is seen"


def test_no_start_of_a_key_is_passed_over_by_the_quick_look() -> None:
    starts = [start for start, _ in secret_patterns.SHAPES]
    assert [
        start for start in starts if not secret_values.finds(secret_patterns.STARTS, f"a {start}")
    ] == []
    words = ("api_key=", 'token": ', "secret:", "password =", "passwd:", "passphrase=", "pwd=")
    assert [
        word for word in words if not secret_values.finds(secret_values.HINTS, f"a {word}")
    ] == []
