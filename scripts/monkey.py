"""Random keys, text, mouse and sizes for the explorer over a slow network: `make monkey MINUTES=5`.

Runs the real program in a pseudo-terminal, on the demo behind a slow network; now and then it
starts a run, and finds, filters and sorts in it while it grows, and types or pastes a sentence that
begins with a no: it may do nothing at the server but reject with its words, or what a line to write
in says. At the end the program must be alive, quit on request, restore the terminal and leave no
crash report. The inputs depend only on the seed, so that `SEED=n` repeats
them; a failure prints the seed with the last inputs.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import logging
import random
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from oh_tui.demo import Demo
from oh_tui.demo.servers.network import Network
from oh_tui.tui.keys import COPY_KEYS, MOVE_KEYS, SCREEN_KEYS, Key
from tests.terminal.served import Act, keeping, served
from tests.terminal.terminal import OH_TUI, Terminal

SIZES = ((160, 48), (120, 36), (80, 24), (200, 60), (60, 16), (40, 10), (100, 20))

LAST = 50
"""Inputs shown for a failure."""

_QUITS = next(key.label for key in SCREEN_KEYS if key.id == "quit")
"""Stands in the footer, in the palette and in the question before quitting."""

BEGINS = 120.0
"""Maximum seconds to the first screen."""

QUITS = 3.0
"""Seconds from the quit key to the end of the program; then it is pressed again."""

ATTEMPTS = 10
"""Times that it is pressed."""

BYTES = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "shift+tab": "\x1b[Z", "space": " ",
    "up": "\x1b[A", "down": "\x1b[B", "home": "\x1b[H", "end": "\x1b[F",
    "pageup": "\x1b[5~", "pagedown": "\x1b[6~",
    "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS",
    "slash": "/", "ampersand": "&", "colon": ":", "exclamation_mark": "!", "question_mark": "?",
    "left_square_bracket": "[", "right_square_bracket": "]",
    "left_curly_bracket": "{", "right_curly_bracket": "}",
    "less_than_sign": "<", "greater_than_sign": ">", "vertical_line": "|",
    "apostrophe": "'", "semicolon": ";", "number_sign": "#", "dollar_sign": "$", "equals_sign": "=",
    "asterisk": "*", "at": "@", "backspace": "\x7f",
    "alt+left": "\x1b[1;3D", "alt+right": "\x1b[1;3C",
}  # fmt: skip
"""The bytes that a terminal sends for a key, by Textual's name."""

FIELDS = {
    "#": ("bug kind:flaky", "-bug", "a/b", "x" * 99),
    "$": ("5", "0.01", "-1", ""),
    ";": ("look again", " "),
    "/": ("pytest", "x", "nowhere to be found"),
    "&": ("is:failed", "tool:terminal -docs", "took:>5s", "is:odd", "step:3-9"),
    ":": ("12", "50%", "13:40", "999999"),
    "A": ("why did you stop", " "),
    "m": ("say more", "two\x1b[13;2ulines"),
    "!": ("ls", "cd /tmp", "sleep 2"),
    "\x10": ("mess", "zoom", "theme", "server: demo", "wrap", "parse", "flaky"),
    "\x0e": ("write a test", "", "\x14j\r", "\tdates\tfix"),
    "a": ("y", "n", "because"),
    "y": tuple(key for key, *_ in COPY_KEYS),
}
"""Keys that open an input, and the text typed then. No text contains a q or leads to quitting."""

ENDS = ("\r", "\x1b", "\t", "")

TASKS = ("`ls`", "`ls` `pwd` `cat README.md` `ls tests`", "slowly `ls`", "delete the folder build")
"""Messages that start a run of a few steps in the demo."""

STARTS = 14.0
"""Seconds from the start of a run to its first steps, in which its sandbox is made."""

LOOKS = {
    "/": ("ls", "e", "nowhere to be found"), "&": ("tool:terminal", "ls", "is:failed"),
    "s": ("t", "c", "d", "m"), "n": (), "N": (), "S": (), "x": (), "f": (), "g": (), "G": (),
    "3": (), "\x1b": (),
}  # fmt: skip
"""Keys that find, filter and sort in a run that grows, and the text typed then."""


ASKS = ("a", "p", "P", "F", "$", "m", "d", "q", "#", "!", "A", "L", "s", "|", "y", "O", "C", "")
"""Keys that may ask, right before a sentence."""

WORDS = ("do", "it", "WITHOUT", "force:", "try", "the", "branch", "of", "THAT,", "stop", "5", "$",
         "!", "#12", "/x", "&", "if", "Fix", "yes?", "TCwq", "APm", "pause", "my", "way;", "by",
         "Y", "quick", "JUDGE", "vow")  # fmt: skip

LINES = ("POST *ask_agent", "POST *bash*", "PATCH *", "POST *events", "POST *messages*")
"""What lines to write in send."""

AT_ITS_BUDGET = "at its budget"
"""Told of a run that was stopped without an answer."""

QUIET = 5.0
"""Seconds after which what was pressed has been done at the server."""


@dataclass(frozen=True)
class Input:
    """An input, and the pause after it."""

    text: str = ""
    size: tuple[int, int] | None = None
    pause: float = 0.0
    begins: bool = False
    """What is done from here on is done by a sentence."""
    ends: str = ""
    """The sentence that has ended."""

    def __str__(self) -> str:
        if self.begins or self.ends:
            return "a sentence begins" if self.begins else "what it did is looked at"
        what = f"resize {self.size[0]}x{self.size[1]}" if self.size else repr(self.text)
        return f"{what}, {self.pause:.2f} s"


def key_bytes(name: str) -> str:
    if name.startswith("ctrl+") and len(name) == 6:
        return chr(ord(name[5].upper()) - 64)
    return name if len(name) == 1 else BYTES[name]


def keys() -> tuple[list[str], list[str]]:
    """Movement keys, and all other keys except the one that quits."""

    def sent(table: tuple[Key, ...]) -> list[str]:
        others = (key for key in table if key.id != "quit")
        return [key_bytes(name) for key in others for name in key.keys.split(",")]

    return sent(MOVE_KEYS), sent(SCREEN_KEYS)


def inputs(seed: int) -> Iterator[Input]:
    """Endless inputs, the same for the same seed."""
    chance = random.Random(seed)
    moves, others = keys()
    size = SIZES[0]

    def pause() -> float:
        kind = chance.random()
        most = 0.0 if kind < 0.4 else 0.15 if kind < 0.9 else 1.5
        return round(chance.uniform(0.0, most), 3)

    def place() -> tuple[int, int]:
        """A cell above the footer, because the footer has a button that quits."""
        return chance.randint(1, size[0]), chance.randint(1, max(1, size[1] - 3))

    def typed(opens: str, texts: Sequence[str], end: str) -> Iterator[Input]:
        yield Input(opens, pause=pause())
        for character in chance.choice(texts):
            yield Input(character, pause=chance.choice((0.0, 0.0, 0.02)))
        yield Input(end, pause=0.12 + pause())

    def short_run() -> Iterator[Input]:
        """Start a run, and find, filter and sort in it from its first step on."""
        yield from [Input("\x1b", pause=1.0)] * 4
        yield from typed("\x0e", TASKS, "")
        yield Input(pause=1.5)  # ctrl+s does nothing before the text is drawn
        yield Input("\x13", pause=STARTS)
        yield from (Input(key, pause=0.2) for key in "3/ls\r")
        for _ in range(20):
            key, texts = chance.choice(list(LOOKS.items()))
            yield from typed(key, texts, "\r") if texts else [Input(key)]
            yield Input(pause=chance.uniform(0.0, 1.5))

    def sentence() -> Iterator[Input]:
        """A no and why, typed or pasted at any moment, also right after a key that asks. A reason
        may be sent."""
        text = " ".join(["no", *chance.choices(WORDS, k=chance.randint(2, 14))])
        asks = chance.choice(("", *ASKS, *"aaaapP"))
        speed = chance.uniform(0.02, 0.25)
        if asks:
            yield from [Input("\x1b", pause=0.2)] * 4
        yield Input(pause=QUIET)
        yield Input(begins=True)
        if asks:
            yield Input(asks, pause=chance.choice((0.02, speed, chance.uniform(0.0, 2.0))))
        if chance.random() < 0.75:
            yield from (Input(character, pause=speed) for character in f"{text}\r")
        else:
            is_marked = chance.random() < 0.5
            yield Input(f"\x1b[200~{text}\n\x1b[201~" if is_marked else f"{text}\r")
        yield Input(pause=QUIET)
        if asks == "a":
            yield Input("\x13", pause=QUIET)
        yield Input(ends=text)

    yield from short_run()
    while True:
        kind = chance.random()
        if kind < 0.002:
            yield from short_run()
        elif kind < 0.02:
            yield from sentence()
        elif kind < 0.35:
            for key in [chance.choice(moves)] * chance.choice((1, 1, 1, 2, 8)):
                yield Input(key, pause=pause())
        elif kind < 0.7:
            for key in [chance.choice(others)] * chance.choice((1, 1, 1, 2)):
                yield Input(key, pause=max(pause(), 0.12 if key == "\x1b" else 0.0))
        elif kind < 0.76:
            yield Input("\x1b", pause=0.12 + pause())
        elif kind < 0.86:
            yield from typed(*chance.choice(list(FIELDS.items())), chance.choice(ENDS))
        elif kind < 0.97:
            yield from _mouse(chance, place, pause)
        else:
            size = chance.choice(SIZES)
            yield Input(size=size, pause=pause())


def _mouse(
    chance: random.Random, place: Callable[[], tuple[int, int]], pause: Callable[[], float]
) -> Iterator[Input]:
    (x, y), (to_x, to_y) = place(), place()
    what = chance.choice(("click", "click", "double", "wheel", "drag"))
    if what == "wheel":
        for _ in range(chance.randint(1, 6)):
            yield Input(f"\x1b[<{chance.choice((64, 65))};{x};{y}M")
    elif what == "drag":
        yield Input(f"\x1b[<0;{x};{y}M")
        for part in range(1, 5):
            at = (x + (to_x - x) * part // 4, y + (to_y - y) * part // 4)
            yield Input(f"\x1b[<32;{at[0]};{at[1]}M", pause=0.01)
        yield Input(f"\x1b[<0;{to_x};{to_y}m")
    else:
        for _ in range(2 if what == "double" else 1):
            yield Input(f"\x1b[<0;{x};{y}M\x1b[<0;{x};{y}m")
    yield Input(pause=pause())


class Failed(AssertionError):
    pass


class Quit(Exception):
    """The program was asked to quit by a click, in the palette or in the footer of a size that the
    terminal no longer has."""


def told_by(act: Act, sentence: str) -> bool:
    """Whether all that was done is what somebody says who types this: a rejection with its words,
    or what a line to write in sends, which holds its end."""
    if fnmatch.fnmatch(act.call, "*/respond_to_confirmation"):
        answer = json.loads(act.body)
        return not answer["accept"] and answer["reason"].strip() == sentence[1:]
    return any(fnmatch.fnmatch(act.call, line) for line in LINES) and sentence[-4:] in str(act)


def play(seed: int, seconds: float) -> int:
    """Send inputs for that long, then quit; returns the number of inputs. Raises Failed."""
    demo, acts = Demo(), list[Act]()
    demo.rate_limited = False
    logging.getLogger("uvicorn.error").disabled = True  # it tells each connection that breaks off
    with served(Network().over(keeping(demo.app, acts), seed)) as address:
        return _play_at(address, acts, seed, seconds)


def _play_at(address: str, acts: list[Act], seed: int, seconds: float) -> int:
    last: deque[str] = deque(maxlen=LAST)
    numbered = enumerate(inputs(seed), 1)
    left = seconds
    environment = {"PAGER": "cat", "EDITOR": "true", "BROWSER": "true"}
    while True:
        terminal = Terminal(
            OH_TUI, "--server", address, size=SIZES[0], draws=False, **environment  # type: ignore[arg-type]
        )  # fmt: skip
        with terminal:
            try:
                _begin(terminal)
                began = time.monotonic()
                done = _play(terminal, acts, numbered, left, last)
                _quit(terminal)
                return done
            except Quit:
                left -= time.monotonic() - began
                last.append("       quit by a click: begun again")
            except AssertionError as error:
                raise Failed(_told(terminal, seed, last, error)) from None


def _begin(terminal: Terminal) -> None:
    terminal.until(lambda: b"1 Conversations" in terminal.drawn, "the first screen", BEGINS)


def _play(
    terminal: Terminal,
    acts: list[Act],
    numbered: Iterator[tuple[int, Input]],
    seconds: float,
    last: deque[str],
) -> int:
    began, before = time.monotonic(), 0
    for number, one in numbered:
        now = time.monotonic()
        if now > began + seconds:
            return number
        last.append(f"{number:5d}  {now - began:7.2f} s  {one}")
        if one.size:
            terminal.resize(*one.size)
        if one.begins:
            before = len(acts)
        if one.ends:
            _did_nothing(terminal, acts[before:], one.ends)
        terminal.press(*([one.text] if one.text else []))
        until = now + one.pause
        while terminal.pump(max(0.0, until - time.monotonic())):
            if time.monotonic() >= until:
                break
        else:
            terminal.draw()
            if terminal.code() == 0 and _QUITS in terminal.text:
                _left_as_it_was(terminal)
                raise Quit
            raise AssertionError(f"it ended after input {number}, code {terminal.code()}")
    raise AssertionError


def _did_nothing(terminal: Terminal, acts: list[Act], sentence: str) -> None:
    """A run that is over its budget is stopped by no key."""
    wrong = [str(act) for act in acts if not told_by(act, sentence)]
    if wrong:
        terminal.draw()
    assert not wrong or AT_ITS_BUDGET in terminal.text, f"{sentence!r} did {wrong}"


def _quit(terminal: Terminal) -> None:
    """Leave everything that is open, press `q`, and confirm if asked, for which a question needs
    its room."""
    terminal.resize(*SIZES[0])
    terminal.settle(0.3)
    for attempt in range(ATTEMPTS):
        for key in ("\x1b", "\x1b", "\x1b", "\x1b", "q", "\r"):
            terminal.press(key)
            if not _pumped(terminal, 0.2 if key == "\x1b" else QUITS if attempt else 1.0):
                # a slow machine is still quitting when the next keys come
                assert attempt or key != "\x1b", f"it ended by itself, code {terminal.code()}"
                _left_as_it_was(terminal)
                return
    raise AssertionError("it does not quit")


def _pumped(terminal: Terminal, seconds: float) -> bool:
    """Read output for that long; False when the program has ended."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if not terminal.pump(left):
            return False
    return True


def _left_as_it_was(terminal: Terminal) -> None:
    code = terminal.code()
    assert code == 0, f"exit code {code}"
    terminal.is_restored()
    reports = sorted(path.name for path in terminal.home.glob("oh-tui-*.txt"))
    assert not reports, f"it left {reports}"
    # keys that came while it quit are echoed by the terminal
    assert not terminal.said.strip("^[q\n"), f"it said {terminal.said!r}"


def _told(terminal: Terminal, seed: int, last: deque[str], error: AssertionError) -> str:
    terminal.draw()
    parts = [f"seed {seed}: {error}", "the last inputs:", *last, "the screen:", terminal.text]
    parts += [path.read_text() for path in sorted(terminal.home.glob("oh-tui-*.txt"))]
    return "\n".join([*parts, f"said: {terminal.said[-2000:]}"])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    try:
        done = play(asked.seed, asked.minutes * 60)
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    print(f"{done:,} inputs, alive, and it quit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
