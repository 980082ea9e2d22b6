"""The recorded minute: an SVG that any viewer takes, small enough to load."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as Xml

from scripts.recording import MINUTE, SECONDS, SVG, Frame, Recording

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "screenshots" / "minute.svg"
MOST = 700_000

SHOT = """\
<svg xmlns="http://www.w3.org/2000/svg"><style>.t-r1 {{ fill: #fff }} .t-r2 {{ fill: #f00 }}</style>
<defs><clipPath><rect x="0" y="0" width="975.0" height="584.6"/></clipPath></defs>
<g clip-path="url(#t-clip)"><rect fill="#11161b" x="0" y="1.5" width="12.2" height="24.65"/>
<rect fill="#232e38" x="0" y="25.9" width="24.4" height="24.65"/>
<text class="t-r1" x="0" y="20" textLength="61">&#160;a&lt;b&#160;</text>
<text class="t-r{}" x="0" y="44.4" textLength="24.4">{}</text></g></svg>"""


def test_lines_that_frames_share_are_kept_once() -> None:
    recording = Recording()
    recording.add(SHOT.format(1, "one"), Frame((), "", "first"))
    recording.add(SHOT.format(2, "two"), Frame(("j",), "j", "a <second>"))
    root = Xml.fromstring(recording.svg())
    assert len(root.findall(f"{SVG}defs/{SVG}g")) == 3
    frames = root.findall(f"{SVG}g")
    used = [[use.attrib["href"] for use in frame.iter(f"{SVG}use")] for frame in frames]
    assert used == [["#l0", "#l1"], ["#l0", "#l2"]]
    first = root.find(f"{SVG}defs/{SVG}g/{SVG}text")
    assert first is not None and (first.text, first.attrib["x"]) == ("a<b", "12.2")
    assert ["".join(frame.itertext()).strip() for frame in frames] == ["first", "j  a <second>"]


def test_the_minute_in_the_readme_is_a_minute_and_loads_quickly() -> None:
    assert len(MINUTE) * SECONDS == 60
    assert f"(screenshots/{PICTURE.name})" in (ROOT / "README.md").read_text("utf-8")
    text = PICTURE.read_text("utf-8")
    assert len(text.encode()) < MOST
    root = Xml.fromstring(text)
    frames = [group for group in root.findall(f"{SVG}g") if group.attrib.get("class") == "frame"]
    assert len(frames) == len(MINUTE)
    lines = {group.attrib["id"] for group in root.findall(f"{SVG}defs/{SVG}g")}
    assert {use.attrib["href"][1:] for use in root.iter(f"{SVG}use")} == lines
    for frame, told in zip(frames, MINUTE, strict=True):
        assert told.told in "".join(frame.itertext())
    assert re.search(r"#frame-0\{visibility:visible", text)
    assert not re.search(r"url\(|href=.http|@import", text), "it loads nothing"
