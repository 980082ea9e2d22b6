"""One canary for each place that can hold a secret: none appears anywhere."""

from __future__ import annotations

import base64
import io
import itertools
import json
import subprocess
import tempfile
import traceback
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from oh_tui.catalog.run_status import RunStatus
from oh_tui.conversation import Conversation
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.sources.saving import download_name
from oh_tui.text.clean import clean
from oh_tui.text.redact import Secret
from oh_tui.tui.controllers.lists import notices
from oh_tui.tui.platform.base_app import write_report
from oh_tui.tui.state.loaded_conversations import Change
from tests.faults.wire import served
from tests.hostile.server import changed, serving
from tests.hostile.test_json import said_by
from tests.hostile.test_terminal import SIZE, Looker
from tests.terminal.terminal import OH_TUI, Terminal

IDS = {entry.slug: entry.id.replace("-", "") for entry in ENTRIES}

USED = {
    "the environment": "plain_canary.environment.1",
    "the environment, of another server": "plain_canary.cloud.2",
    "the environment, of a named server": "plain_canary.named.3",
    "a key file": "plain_canary.file.4",
    "a key command": "plain_canary.command.5",
}
"""Keys of no known shape: they are known because they are ours."""

SHAPED = {
    "a key of a known shape": "sk-ant-api03-CanaryCanary012345",
    "a value behind its name": "CanaryOfAPassword7",
    "an address": "CanaryOfAnAddress8",
    "a header": "CanaryOfAHeader9abcdef",
}
"""Keys of others, known by how or where they are written."""

SPLIT = "sk-ant-api03-\x1b[01;31mSplit\u200bCanary0123\x1b[m456789"
WHOLE = clean(SPLIT)


def told() -> str:
    """What a tool might print, with every canary in it."""
    return " ".join(
        (
            *USED.values(),
            SHAPED["a key of a known shape"],
            f"password={SHAPED['a value behind its name']}",
            f"https://user:{SHAPED['an address']}@host.invalid/x.git",
            f"Authorization: Bearer {SHAPED['a header']}",
            SPLIT,
        )
    )


TOLD = told()


class Leaky:
    """Says every secret it knows in all its texts: the canaries, and the keys of its sandboxes."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.refuses = False

    def change(self, call: str, value: Any) -> Any:
        self._learn(value)
        return self._leak(value)

    def _learn(self, value: Any) -> None:
        if isinstance(value, dict):
            key = value.get("session_api_key")
            if isinstance(key, str):
                self.keys.add(key)
            for inner in value.values():
                self._learn(inner)
        elif isinstance(value, list):
            for inner in value:
                self._learn(inner)

    def _leak(self, value: Any, name: str = "") -> Any:
        if name in KEPT or name.endswith(("_id", "_ids")):
            return value
        if isinstance(value, str):
            return f"{value} {TOLD} {' '.join(sorted(self.keys))}"
        if isinstance(value, list):
            return [self._leak(inner, name) for inner in value]
        if isinstance(value, dict):
            return {inner: self._leak(value[inner], inner) for inner in value}
        return value

    def app(self, app: ASGIApp) -> ASGIApp:
        inner = zipped(changed(app, self.change), self)

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if not self.refuses:
                await inner(scope, receive, send)
                return
            headers = {name.decode(): text.decode() for name, text in scope["headers"]}
            said = {"detail": f"refused {headers} {TOLD}", "headers": headers}
            await JSONResponse(said, next(REFUSALS))(scope, receive, send)

        return serve


KEPT = frozenset(
    {
        *("id", "kind", "timestamp", "source", "key", "type", "role", "next_page_id", "status"),
        *("sandbox_status", "execution_status", "session_api_key", "conversation_url", "url"),
        *("agent_server_url", "created_at", "updated_at", "git_provider"),
    }
)

REFUSALS = itertools.cycle((401, 403, 404, 409, 413, 422, 500, 503))


def zipped(app: ASGIApp, leaky: Leaky) -> ASGIApp:
    """The same for what a zip holds."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        held: list[Any] = []

        async def keep(message: Any) -> None:
            held.append(message)

        await app(scope, receive, keep)
        headers = dict(held[0]["headers"])
        if b"zip" in headers.get(b"content-type", b""):
            body = b"".join(message.get("body", b"") for message in held[1:])
            out = io.BytesIO()
            with zipfile.ZipFile(io.BytesIO(body)) as source, zipfile.ZipFile(out, "w") as target:
                for name in source.namelist():
                    value = leaky.change("", json.loads(source.read(name)))
                    target.writestr(name, json.dumps(value))
            held[1:] = [{"type": "http.response.body", "body": out.getvalue()}]
        for message in held:
            await send(message)

    return serve


@pytest.fixture
def leaky() -> Iterator[tuple[Leaky, str]]:
    demo = Demo(shows="everything")
    demo.rate_limited = False
    made = Leaky()
    with serving(made.app(demo.app)) as url:
        yield made, url


def environment(home: Path, url: str) -> dict[str, str]:
    """A home with a settings file that names keys in every way there is."""
    (home / "key").write_text(f"{USED['a key file']}\n")
    (home / "key").chmod(0o600)
    (home / "tell").write_text(f"echo {USED['a key command']}; echo oops >&2\n")
    (home / "config.toml").write_text(
        f"""
[servers.file]
url = "{url}"
key_file = "{home}/key"
[servers.command]
url = "{url}"
key_command = "sh {home}/tell"
[servers.named]
url = "{url}"
key_env = "NAMED_KEY"
"""
    )
    return {
        "HOME": str(home),
        "OH_TUI_CONFIG": str(home / "config.toml"),
        "OPENHANDS_BASE_URL": url,
        "OPENHANDS_API_KEY": USED["the environment"],
        "OPENHANDS_CLOUD_API_KEY": USED["the environment, of another server"],
        "NAMED_KEY": USED["the environment, of a named server"],
    }


def canaries(leaky: Leaky, *, read: tuple[str, ...] = ()) -> dict[str, str]:
    """What may not be seen; of the keys that only `read` servers have, those that were read."""
    found = dict(SHAPED) | {"a split key": WHOLE}
    for name, key in USED.items():
        if "environment" in name or name in read:
            found[name] = key
    found |= {f"a sandbox {n}": key for n, key in enumerate(sorted(leaky.keys))}
    return found


def check(where: str, text: str | bytes, found: dict[str, str]) -> None:
    """In any writing: as it is, with escapes between its characters, or in base 64."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    plain = clean(data.decode("utf-8", "replace").replace("\\u001b", "\x1b").replace("\\u200b", ""))
    for name, canary in found.items():
        assert canary.encode() not in data, f"{name} is in {where}"
        assert canary not in plain, f"{name} is in {where}, in pieces"
        assert base64.b64encode(canary.encode())[2:-4] not in data, f"{name} is in {where}"


def check_files(folder: Path, found: dict[str, str], but: tuple[str, ...] = ()) -> int:
    """Everything under a folder, what zips hold too."""
    seen = 0
    for path in folder.rglob("*"):
        if not path.is_file() or path.name in ("key", "tell", "config.toml", *but):
            continue
        seen += 1
        check(f"the name {path.name}", path.name, found)
        check(path.name, path.read_bytes(), found)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    check(f"{path}/{name}", archive.read(name), found)
    return seen


def processes(pid: int) -> str:
    """What everybody sees of a process and those it started."""
    shown = subprocess.run(
        ["ps", "-ww", "-o", "args=", "--pid", str(pid), "--ppid", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout


@pytest.mark.slow
def test_no_secret_reaches_screen_clipboard_log_files_or_process_list(
    leaky: tuple[Leaky, str], tmp_path: Path
) -> None:
    server, url = leaky
    given: dict[str, Any] = {**environment(tmp_path, url)}
    words = ("--log", tmp_path / "calls.log")
    with Terminal(OH_TUI, *words, size=SIZE, home=tmp_path, **given) as terminal:
        it = Looker(terminal)
        terminal.wait_for("━ 42 ━")
        terminal.settle()
        listed = processes(terminal.pid)
        assert "calls.log" in listed
        it.press("enter", "3", "G", "k", "R", "y", "j", "R", "y", "o", "y", "m", "1", "j")
        it.press("v", "c", "esc", "T", "esc", "x", "2", "j", "p", "esc", "1", "o", "esc")
        it.press("ctrl+p")
        it.type("canary")
        it.press("esc", "esc", "G", "enter")
        it.rest()
        it.press("3", "y", "j", "1")
        server.refuses = True
        it.press("r")
        it.rest()
        it.press("esc", "enter", "p", "r")
        it.rest()
        it.quit()
        found = canaries(server)
        assert len(server.keys) > 3
        check("the process list", listed, found)
        check("the terminal", bytes(terminal.drawn), found)
        assert it.grid.copied
        for text in it.grid.copied:
            check("the clipboard", text, found)
        # every row is one sequence of cells: no key is put together by where it is drawn
        check("the screen", it.grid.text.replace("\n", ""), found)
        assert check_files(tmp_path, found) >= 2


EACH = (
    *("whoami", "status", "conversations --all", "sandboxes --all"),
    *(f"{name} {IDS['oauth']}" for name in ("show", "why", "steps", "tail", "changes")),
    *(f"{name} {IDS['oauth']}" for name in ("check", "count --all", "events", "export")),
    *(f"export {IDS['fix-add']} --to {form} --yes" for form in ("html", "jsonl", "atif")),
    *(f"why {IDS['fix-add']}", "cache"),
    f"approve {IDS['oauth']}",
)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("name", ["", "file", "command", "named"])
def test_no_secret_is_printed_logged_or_kept_by_a_command(
    name: str, leaky: tuple[Leaky, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = leaky
    for variable, value in environment(tmp_path, url).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    read = {"file": ("a key file",), "command": ("a key command",)}.get(name, ())
    log = ("--log", str(tmp_path / "calls.log"), *(("--server", name) if name else ()))
    for line in EACH[: None if not name else 4]:
        for more in ((), ("--json",)) if line.startswith(("show", "steps", "who")) else ((),):
            code, out, err = said_by(*log, *more, *line.split())
            assert code in (0, 3) or line.startswith("approve"), (line, err)
            check(line, out + err, canaries(server, read=read))
    server.refuses = True
    for line in EACH[: None if not name else 4]:
        code, out, err = said_by(*log, *line.split())
        assert code == (0 if line == "cache" else 1), (line, err)
        check(f"{line}, refused", out + err, canaries(server, read=read))
    assert check_files(tmp_path, canaries(server, read=read))


KEY = SHAPED["a key of a known shape"]

MISTAKES = {
    "a flag": (("--key", KEY), "A key among the words"),
    "a flag and its value": ((f"--api-key={KEY}", "whoami"), "A key among the words"),
    "a flag after a command": (("show", "5f3a", "--api-key", KEY), "A key among the words"),
    "a word": ((KEY,), "is not a command"),
    "a word of a command": (("show", KEY), "is not a conversation id"),
    "an unknown flag": (("whoami", f"--token={KEY}"), "has no option"),
    "an address": (
        ("--server", f"https://me:{KEY}@host.invalid", "whoami"),
        "user name or password",
    ),
    "an address for a key": (("--server", f"https://{KEY}@host.invalid", "whoami"), "user name"),
}


@pytest.mark.parametrize(("words", "reason"), MISTAKES.values(), ids=MISTAKES)
def test_a_key_on_the_command_line_is_refused_and_not_repeated(
    words: tuple[str, ...], reason: str
) -> None:
    code, out, err = said_by(*words)
    assert code == 2 and reason in err and KEY not in out + err, err


SETTINGS = {
    "a key": f'key = "{KEY}"',
    "under another name": f'api_key = "{KEY}"',
    "in place of the name of a variable": f'key_env = "{KEY}"',
    "in place of a file": f'key_file = "{KEY}"',
    "in place of a command": f'key_command = "{KEY}"',
    "in an address": f'url = "https://me:{KEY}@host.invalid"',
    "in place of a header": f'auth = "{KEY}"',
    "as a name": f'"{KEY}" = 1',
    "in a line that is no TOML": f"key = {KEY}",
}


@pytest.mark.parametrize("line", SETTINGS.values(), ids=SETTINGS)
def test_a_key_in_the_settings_file_is_refused_and_not_repeated(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    url = "" if line.startswith("url") else 'url = "127.0.0.1:9"\n'
    file.write_text(f'default = "a"\n[servers.a]\n{url}{line}\n')
    monkeypatch.setenv("OH_TUI_CONFIG", str(file))
    code, out, err = said_by("whoami")
    assert code in (1, 2) and err and KEY not in out + err, err


@pytest.mark.parametrize("secret", SHAPED.values(), ids=SHAPED)
def test_the_words_of_a_key_command_are_told_without_keys_of_known_kinds(
    secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the errors about the key's location, and about the failed command."""
    file = tmp_path / "config.toml"
    monkeypatch.setenv("OH_TUI_CONFIG", str(file))
    said = next(word for word in TOLD.split(" ") if secret in word)
    said = f"Authorization: Bearer {said}" if secret == SHAPED["a header"] else said
    demo = Demo(shows="everything")
    demo.rate_limited = False
    with served(demo.app) as wire:
        for ends, fine in ((f"; echo {USED['a key command']}", 0), ("; exit 3", 2)):
            shell = f": {said} \\u001b[31m\\u202e{ends}"
            file.write_text(
                f'default = "a"\n[servers.a]\nurl = "{wire.url}"\n'
                f'key_command = ["sh", "-c", "{shell}"]\n'
            )
            for words in (("whoami",), ("whoami", "--json")):
                code, out, err = said_by(*words)
                told = out + err
                assert (code, "sh -c ': " in told, "[hidden]" in told) == (fine, True, True), told
                for held in (secret, USED["a key command"], "\x1b", "\u202e"):
                    assert held not in told


def test_a_key_with_odd_characters_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENHANDS_API_KEY", "canary\x1b[31m of\na key")
    code, out, err = said_by("--server", "127.0.0.1:9", "whoami")
    assert code == 2 and "characters that cannot be in a key" in err and "canary" not in out + err


def test_a_report_of_a_crash_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in USED.values():
        Secret(key)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    try:
        raise ValueError(f"no such thing: {TOLD}")
    except ValueError as error:
        report = write_report("".join(traceback.format_exception(error)))
    assert report and "no such thing: [hidden]" in report.read_text()
    # the line of code is in it, the values are not
    check_files(tmp_path, SHAPED | USED | {"a split key": WHOLE})


def test_the_name_of_a_download_and_what_a_notice_gets_hold_no_secret() -> None:
    Secret(USED["the environment"])
    titled = Conversation("5f3a" * 8, title=f"{USED['the environment']} {KEY} {SPLIT} for all")
    seen = {"a key of a known shape": KEY, "a split key": WHOLE, "ours": USED["the environment"]}
    name = download_name(titled)
    assert name == "hidden-hidden-hidden-for-all-5f3a5f3a.zip"
    given = notices.environment(Change(titled, RunStatus.FINISHED), {"OPENHANDS_API_KEY": KEY})
    check(
        "a notice",
        " ".join(given.values()) + notices.sentence([Change(titled, RunStatus.STUCK)]),
        seen,
    )
