"""A recorded minute of the explorer on the embedded server: one animated SVG, for the README.

Every frame is a screenshot of Textual. A line that several frames show is kept once, which makes a
dozen frames hardly larger than three pictures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as Xml
from xml.sax.saxutils import escape

SVG = "{http://www.w3.org/2000/svg}"

SECONDS = 5
"""How long a frame is shown."""

CELL, LINE, MARGIN = 12.2, 24.4, 10.0
"""Width and height of a cell in Textual's screenshots, and our margin around them."""

PAPER, INK, KEY = "#11161b", "#a3adb7", "#f0b64a"


@dataclass(frozen=True)
class Frame:
    """Keys that lead to a frame, how they are written, and what they do."""

    keys: Sequence[str]
    shown: str
    told: str


MINUTE = (
    Frame((), "", "The list begins with the runs that need you, and says why"),
    Frame(("enter",), "enter", "Open the stuck one: its verdict, the strip, and the step it names"),
    Frame(("E", "E"), "E", "From error to error: the call above its result"),
    Frame(("enter",), "enter", "One step, read whole"),
    Frame(("escape", "slash", *"W53"), "/W53", "Find jumps while you type"),
    Frame(("escape", "ampersand", *"is:failed", "enter"), "&is:failed", "Show only what failed"),
    Frame(("escape", "T"), "T", "Where time and money went"),
    Frame(
        ("escape", "V", "x", "g"), "V x", "What the model saw at a step, and what it had forgotten"
    ),
    Frame(("escape", "c", "j", "j"), "c", "The files that it changed, with git beside them"),
    Frame(("b", "G", "K"), "b", "Which step wrote each line of a file"),
    Frame(
        ("escape", "escape", "1", "k", "a"), "a", "Answer the call that waits: read it, then y or n"
    ),
    Frame(("escape", "question_mark"), "?", "Every key and every sign; typing searches"),
)

STYLE = """\
text{font:20px 'Fira Code',Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}
.frame{visibility:hidden;animation:show %ds step-end infinite}
@keyframes show{0%%{visibility:visible}%.4f%%{visibility:hidden}}
#frame-0{visibility:visible;animation:none}
@media (prefers-reduced-motion){.frame{animation:none}}"""
"""With the seconds of the whole and the share of a frame. The first frame is below all others, so
that it stays where nothing moves."""


@dataclass
class Recording:
    """The frames so far, and the lines and styles they share."""

    looks: dict[str, str] = field(default_factory=dict)
    """CSS of a text -> the name of its class."""
    lines: dict[str, str] = field(default_factory=dict)
    """SVG of a line, as if it were the first -> its id."""
    frames: list[str] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0

    def add(self, screenshot: str, frame: Frame) -> None:
        """Add a screenshot of Textual as the next frame."""
        root = Xml.fromstring(screenshot)
        styles = dict(re.findall(r"\.(\S+-r\d+) \{ (.*?) \}", "".join(root.itertext())))
        matrix = root.find(f".//{SVG}g[@clip-path]")
        assert matrix is not None
        shapes = dict[int, list[str]]()
        for rect in matrix.iter(f"{SVG}rect"):
            y = round(float(rect.attrib["y"]) / LINE - 0.06)
            shapes.setdefault(y, []).append(_rect(rect))
        for text in matrix.iter(f"{SVG}text"):
            y = round((float(text.attrib["y"]) - 20) / LINE)
            drawn = _text(text, self._class(styles[text.attrib["class"]]))
            if drawn:
                shapes.setdefault(y, []).append(drawn)
        self.width = max(self.width, self._width(root))
        rows = max(shapes) + 1
        self.height = (rows + 2) * LINE + MARGIN
        drawn_lines = (
            f'<use href="#{self._line("".join(shape))}" y="{y * LINE:.1f}"/>'
            for y, shape in sorted(shapes.items())
        )
        self.frames.append("".join(drawn_lines) + self._caption(frame, rows))

    def _class(self, css: str) -> str:
        return self.looks.setdefault(css, f"s{len(self.looks)}")

    def _line(self, shapes: str) -> str:
        return self.lines.setdefault(shapes, f"l{len(self.lines)}")

    @staticmethod
    def _width(root: Xml.Element) -> float:
        clip = root.find(f".//{SVG}clipPath/{SVG}rect")
        assert clip is not None
        return float(clip.attrib["width"])

    def _caption(self, frame: Frame, rows: int) -> str:
        """The keys of a frame and what they do, below it."""
        y = (rows + 1) * LINE + 8
        key = f'<tspan fill="{KEY}" font-weight="bold">{escape(frame.shown)}</tspan>  '
        words = (key if frame.shown else "") + escape(frame.told)
        return f'<text x="{CELL:.1f}" y="{y:.1f}" fill="{INK}">{words}</text>'

    def svg(self) -> str:
        """The whole recording."""
        whole = SECONDS * len(self.frames)
        style = STYLE % (whole, 100 / len(self.frames))
        looks = "\n".join(f".{name}{{{css}}}" for css, name in self.looks.items())
        lines = "\n".join(f'<g id="{name}">{shapes}</g>' for shapes, name in self.lines.items())
        width, height = self.width + 2 * MARGIN, self.height + MARGIN
        paper = f'<rect width="100%" height="100%" fill="{PAPER}"/>'
        frames = "\n".join(
            f'<g class="frame" id="frame-{number}" style="animation-delay:{SECONDS * number}s">'
            f'{paper}<g transform="translate({MARGIN:g} {MARGIN:g})">{frame}</g></g>'
            for number, frame in enumerate(self.frames)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">\n'
            f"<style>\n{style}\n{looks}\n</style>\n<defs>\n{lines}\n</defs>\n{frames}\n</svg>\n"
        )


def _rect(rect: Xml.Element) -> str:
    """The background of some cells, in the first line."""
    x, width = (float(rect.attrib[name]) for name in ("x", "width"))
    fill = rect.attrib["fill"]
    if fill == PAPER:
        return ""
    return f'<rect x="{x:g}" y="1.5" width="{width:g}" height="{LINE + 0.3:g}" fill="{fill}"/>'


def _text(text: Xml.Element, look: str) -> str:
    """A piece of text in the first line, without the spaces around it; "" for spaces alone."""
    words = (text.text or "").replace("\xa0", " ")
    x, length = float(text.attrib["x"]), float(text.attrib["textLength"])
    if not words.strip():
        return ""
    cell = length / len(words)
    x += cell * (len(words) - len(words.lstrip()))
    words = words.strip()
    return (
        f'<text class="{look}" x="{x:.1f}" y="20" textLength="{cell * len(words):.1f}">'
        f"{escape(words)}</text>"
    )
