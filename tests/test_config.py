"""The settings file: its options, and each fault with its line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual.theme import BUILTIN_THEMES

from oh_tui.settings.config import (
    SERVER_NAMES,
    THEMES,
    Config,
    ExplorerNames,
    ServerEntry,
    parse_config,
)
from oh_tui.settings.keyboard import key_name, key_names, shown_keys
from oh_tui.settings.toml_file import lines_of
from oh_tui.text.clean import clean_line
from oh_tui.tui.keys import known

DOCUMENT = Path(__file__).parents[1] / "docs" / "settings.md"

SOME = ExplorerNames(
    {"find": "slash", "find.next": "n", "find.previous": "N", "quit": "q", "mark": "space"},
    ("oh-dark", "oh-light", "nord"),
    ("needs", "newest", "cost"),
)

WHOLE = """
default = "work"
theme = "nord"
mouse = false
ascii = true
download_folder = "~/runs"
refresh = 30
notice = "notify-send 'a run'"
read_only = true
budget = 5

[servers.work]
url = "oh.example.org/api"
key_command = "pass show openhands"
auth = "session"
read_only = true
budget = 0.5

[servers.home]
url = "localhost:3000"
key_env = "HOME_KEY"

[servers.lab]
url = "http://10.0.0.5"
key_file = "~/.lab"
auth = "bearer"
kind = "agent"

[keys]
"find.next" = "ctrl+g, F3"
quit = "Q"
"""


def faults(text: str, known: ExplorerNames | None = SOME) -> list[tuple[int, str]]:
    _, found = parse_config(text, known)
    assert found
    return [(fault.line, fault.text) for fault in found]


def taken(text: str, known: ExplorerNames | None = SOME) -> Config:
    config, found = parse_config(text, known)
    assert not found
    return config


def test_an_empty_file_changes_nothing() -> None:
    assert taken("") == Config()
    assert taken("\ufeff# nothing but this\r\n\r\n") == Config()


def test_what_a_file_can_say() -> None:
    assert taken(WHOLE) == Config(
        servers={
            "work": ServerEntry(
                "work",
                "https://oh.example.org",
                key_command=("pass", "show", "openhands"),
                auth="session",
                read_only=True,
                budget=0.5,
            ),
            "home": ServerEntry("home", "http://localhost:3000", key_env="HOME_KEY"),
            "lab": ServerEntry(
                "lab", "http://10.0.0.5", key_file="~/.lab", auth="bearer", kind="agent"
            ),
        },
        default="work",
        theme="nord",
        mouse=False,
        ascii=True,
        download_folder="~/runs",
        refresh=30.0,
        notice=("notify-send", "a run"),
        read_only=True,
        budget=5,
        keys={"find.next": "ctrl+g,f3", "quit": "Q"},
    )


def test_where_the_explorer_is_not_meant_its_names_are_left_unread() -> None:
    assert taken('theme = "no-such"\n[keys]\nnothing = 3\n', None).keys == {}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("\nthem = 1\n", 2, "'them' is not a setting; did you mean theme?"),
        ('a = 1\nurl = "x"', 2, "'url' is not a setting (a server's, under [servers.NAME])"),
        ('mouse = "no"', 1, "mouse is true or false, not a text"),
        ("ascii = 1", 1, "ascii is true or false, not a number"),
        ('sort = "cots"', 1, "there is no order 'cots'; did you mean cost?"),
        ('sort = "zzz"', 1, "there is no order 'zzz': needs, newest, cost"),
        ("theme = true", 1, "theme is a text in quotes, not true"),
        ('theme = "oh-drak"', 1, "there is no theme 'oh-drak'; did you mean oh-dark?"),
        ('theme = "zzz"', 1, "there is no theme 'zzz': oh-dark, oh-light, nord, …"),
        ("refresh = 1", 1, "refresh is 5 to 3600 seconds"),
        ("refresh = nan", 1, "refresh is 5 to 3600 seconds"),
        ("budget = 0", 1, "budget is 0.01 to 1,000,000 dollars"),
        ("budget = -1", 1, "budget is 0.01 to 1,000,000 dollars"),
        ("budget = nan", 1, "budget is 0.01 to 1,000,000 dollars"),
        ("budget = 1e400", 1, "budget is 0.01 to 1,000,000 dollars"),
        ('budget = "5"', 1, "budget is 0.01 to 1,000,000 dollars, not a text"),
        ("budget = true", 1, "budget is 0.01 to 1,000,000 dollars, not true"),
        ("refresh = true", 1, "refresh is 5 to 3600 seconds, not true"),
        ('download_folder = "runs"', 1, "download_folder is a path that begins with / or ~"),
        ('notice = "say \'it"', 1, "notice: not a command: no closing quotation"),
        ('notice = ""', 1, "notice: the command is empty"),
        ("notice = [1]", 1, "notice is a command in quotes"),
        ("\n\nservers = 3", 3, "servers is a table, not a number"),
        ('default = "wrk"\n[servers.work]\nurl="x"', 1, "no server 'wrk'; did you mean work?"),
        ("[servers.a]\n", 1, "the server 'a' has no url"),
        ("[servers]\n\na = 3", 3, "a server is a table: [servers.a]"),
        ('[servers.a]\n# url = "x"\nurl = 3', 3, "url is a text in quotes, not a number"),
        ('[servers.a]\nurl = "ftp://x"', 2, "url: 'ftp://x' is not a server address"),
        ('[servers.a]\nurl = "http//x"', 2, "url: 'http//x' is not a server address"),
        ('[servers."a b"]\nurl="x"', 1, "'a b': a server's name has letters, digits, - and _"),
        ('[servers.demo]\nurl="x"', 1, "demo is the name of a built-in server"),
        ('[servers.a]\nurl="x"\nkeyenv="A"', 3, "'keyenv' is not a setting of a server; did you"),
        (
            '[servers.a]\nurl="x"\ntheme="A"',
            3,
            "'theme' is not a setting of a server: it stands before",
        ),
        ('[servers.a]\nurl="x"\nauth="basic"', 3, "auth is bearer or session"),
        ('[servers.a]\nurl="x"\nkind="cloud"', 3, "kind is app or agent"),
        ('[servers.a]\nurl="x"\nkey_file="k"', 3, "key_file is a path that begins with / or ~"),
        ('[servers.a]\nkey_env="A"\nurl="x"\nkey_file="/k"', 4, "not key_env and key_file"),
        ('[keys]\n\nfnd = "x"', 3, "'fnd' is not an action; did you mean find?"),
        ('[keys]\nfind = ["x"]', 2, 'find is keys in quotes, such as "x,f5", not a list'),
        ('[keys]\nfind = "nokey"', 2, "find: 'nokey' is not a key"),
        ('[keys]\nfind = "x,"', 2, "find: a key is missing"),
        ('[keys]\nfind = "ctrl+c"', 2, "find: ctrl+c always copies"),
        ('[keys]\nfind = "ctrl+i"', 2, "find: ctrl+i comes as tab from most terminals"),
        ('[keys]\nfind = "q"', 2, "find: q is quit already: give quit another key"),
        ('[keys]\nquit = "x"\nfind.next = "x"', 3, "find.next: x is quit too"),
        ('[keys]\n"find.next" = "q"', 2, "find.next: q is quit already"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, line: int, told: str) -> None:
    found = faults(text)
    assert any(at == line and told in what for at, what in found), found


def test_all_faults_are_told_in_the_order_of_their_lines() -> None:
    text = '[keys]\nfind = "q"\n[servers.a]\nurl = "x y"\n[servers.b]\n'
    assert [line for line, _ in faults("mouse = 3\n" + text)] == [1, 3, 5, 6]


def test_two_actions_can_change_their_keys() -> None:
    text = '[keys]\n"find.next" = "N"\n"find.previous" = "n"\nfind = "q"\nquit = "slash"'
    config = taken(text)
    assert config.keys["find.next"] == "N" and config.keys["find.previous"] == "n"


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("a = 1\n\nb = [1,\n", 3), ("[x\n", 1), ("a = 1\na = 2", 2),
     ("x = " + "[" * 5000, 1), ("x = " + "1" * 5000, 1), ("x = 2026-13-45", 1)],
)  # fmt: skip
def test_what_is_no_toml_is_told_with_its_line(text: str, line: int) -> None:
    ((at, told),) = faults(text)
    assert at == line and told.startswith("this is not TOML")


@pytest.mark.parametrize("name", ["key", "api_key", "token"])
def test_a_key_in_the_file_is_refused_and_not_repeated(name: str) -> None:
    ((line, told),) = faults(f'[servers.a]\nurl = "x"\n{name} = "sk-hunter2"')
    assert line == 3 and "hunter2" not in told and "key_command" in told
    ((_, told),) = faults('[servers.a]\nurl = "x"\nkey_env = "sk-hunter2"')
    assert "hunter2" not in told
    ((_, told),) = faults('[servers.a]\nurl = "https://me:hunter2@x"')
    assert "hunter2" not in told


def test_lines_are_found_behind_strings_lists_and_comments_that_look_like_names() -> None:
    text = '''a = """
b = 1
[c]
"""
# d = 1
list = [ # e = 1
  "[f]", { g = 1 },
]
[ "h.i" . j ]
'k' . l = '[m]'
[[n]]
o = 1
[[n]]
o = 2
'''
    lines = lines_of(text)
    assert lines == {
        "a": 1, "list": 6, "h.i": 9, "h.i.j": 9, "h.i.j.k": 10, "h.i.j.k.l": 10,
        "n": 11, "n.0": 11, "n.0.o": 12, "n.1": 13, "n.1.o": 14,
    }  # fmt: skip


NAMES = st.sampled_from(
    ["servers", "keys", "theme", "refresh", "url", "find", "quit", "key_env", "a", '"b.c"', "'d'"]
)
VALUES = st.one_of(
    st.sampled_from(["true", "nan", "3", '""', '"x"', "[]", "{}", '{url = "x"}', "07:32:00"]),
    st.text(max_size=12).map(lambda text: f'"{text}"'),
    st.text("\"'\\\n#[]{}=,.a ", max_size=12),
)
PARTS = st.one_of(
    st.builds("{} = {}".format, NAMES, VALUES),
    st.builds("{}.{} = {}".format, NAMES, NAMES, VALUES),
    st.builds("[{}.{}]".format, NAMES, NAMES),
    st.builds("[{}]".format, NAMES),
    st.text(max_size=20),
)


@given(st.lists(PARTS, max_size=8).map("\n".join))
@example("[servers.a]\nurl.x = 3\n[keys]\nfind.a.b = 1")
@example("[[servers]]\n[[keys]]")
def test_no_text_is_too_odd(text: str) -> None:
    """The text is accepted, or each fault has a line of the file and a clean sentence."""
    for line, told, _ in parse_config(text, SOME)[1]:
        assert 1 <= line <= text.count("\n") + 1
        assert told == clean_line(told)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    lines = lines_of(text)
    assert document.keys() - lines.keys() <= {""} or text.startswith("\ufeff")


@given(st.text(max_size=12) | st.text("ctrl+shiftaltJ,ű ", max_size=14))
def test_a_key_is_taken_or_refused_with_a_sentence(written: str) -> None:
    try:
        names = key_names(written)
    except ValueError as error:
        assert str(error)
    else:
        assert shown_keys(names)
        assert not written.isascii() or key_names(names) == names


@pytest.mark.parametrize(
    ("written", "name", "shown"),
    [
        ("?", "question_mark", "?"), ("question_mark", "question_mark", "?"), ("G", "G", "G"),
        ("shift+g", "G", "G"), ("PgDn", "pagedown", "PgDn"), ("F5", "f5", "F5"),
        ("Ctrl+P", "ctrl+p", "ctrl+p"), ("ctrl++", "ctrl+plus", "ctrl++"), ("+", "plus", "+"),
        ("esc", "escape", "esc"), ("shift+ctrl+left", "ctrl+shift+left", "ctrl+shift+←"),
        ("é", "é", "é"), ("space", "space", "space"), ("comma", "comma", ","),
    ],
)  # fmt: skip
def test_keys_are_taken_as_people_write_them(written: str, name: str, shown: str) -> None:
    assert key_name(written) == name and shown_keys(name) == shown


def test_a_fault_says_which_setting_is_wrong() -> None:
    text = """\
defualt = "work"
refresh = 1
odd = 1
[servers.work]
url = "ftp://example.org"
[servers.lab]
kye_env = "LAB"
url = "https://lab.example.org"
"""
    config, found = parse_config(text)
    paths = [fault.path for fault in found]
    assert paths == ["defualt", "refresh", "odd", "servers.work.url", "servers.lab.kye_env"]
    assert config.servers["lab"].url == "https://lab.example.org"


def test_the_themes_are_ours_and_all_of_textual() -> None:
    assert ("oh-dark", "oh-light", "ansi", *BUILTIN_THEMES) == THEMES


def test_keys_have_the_names_that_the_table_of_keys_uses() -> None:
    """No two actions clash, or every file with keys would be refused."""
    actions = known().actions
    assert actions and all(key_names(keys) == keys for keys in actions.values())
    assert taken("[keys]", known()) == Config()


def test_the_document_names_every_setting_and_its_example_is_taken() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    config = taken(example, known())
    assert config.servers and config.keys and config.default
    assert set(tomllib.loads(example)) == set(Config.__struct_fields__)
    assert [name for name in SERVER_NAMES if name not in example] == []


def test_the_document_names_every_key_that_can_be_another() -> None:
    listed = DOCUMENT.read_text("utf-8").partition("The ids of `[keys]`:")[2].partition("\n\n")[0]
    assert set(re.findall("`(.*?)`", listed)) == set(known().actions)


@pytest.mark.parametrize(
    "line", ["a" + ".a" * 100_000 + " = 1", "[" + '"a".' * 50_000 + "a]", "." * 200_000]
)
def test_what_nests_too_far_is_refused_before_it_is_parsed(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tomllib, "loads", lambda _: pytest.fail("it was parsed"))
    found = faults(f'theme = "nord"\n{line}\n')
    assert found == [(2, "this nests further than any setting")]


def test_dots_in_texts_and_comments_nest_nothing() -> None:
    address = "http://" + ".".join("abc" * 20)
    config = taken(f'# {"." * 100}\n[servers.lab]\nurl = "{address}"\n')
    assert config.servers["lab"].url == address
