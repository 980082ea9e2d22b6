"""Reads a page as strictly as possible: what it is made of, and whether its tags are balanced."""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser

from oh_tui.conversation import Conversation
from oh_tui.sharing.html.page import page
from oh_tui.sharing.shared_run import SharedRun, Sink, Write, hidden_events
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import build

_EMPTY = {"meta", "link", "input", "br", "hr", "img", "rect", "line"}
_TAGS = _EMPTY | {
    *("html", "head", "title", "style", "script", "body", "header", "main", "nav", "section"),
    *("footer", "form", "button", "output", "span", "div", "p", "h1", "h2", "h3", "h4", "h5"),
    *("h6", "a", "b", "i", "em", "s", "strong", "small", "code", "kbd", "pre", "blockquote"),
    *("ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td"),
    *("details", "summary", "figure", "time", "svg", "text"),
}
_ATTRIBUTES = {
    *("id", "class", "href", "rel", "role", "tabindex", "hidden", "type", "placeholder", "open"),
    *("aria-label", "aria-labelledby", "aria-live", "datetime", "title", "src", "alt", "loading"),
    *("lang", "charset", "http-equiv", "content", "name", "start"),
    *("viewbox", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "stroke-dasharray"),
    "fill-opacity",
}


class Reader(HTMLParser):
    """Fails for a tag or an attribute that the page does not have, and for a tag left open."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self.opened: list[str] = []
        """The steps that are open at first."""
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))
        self.text = "".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        assert {name for name, _ in attrs} <= _ATTRIBUTES, attrs
        given = {name: value or "" for name, value in attrs}
        if tag not in _EMPTY:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
            assert given["href"].startswith("#") or given["rel"] == "noopener noreferrer"
        if tag == "img":
            self.images.append(given["src"])
        if tag == "details" and "open" in given:
            self.opened.append(given.get("id", ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _EMPTY
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.words.append(data)


def shared(
    events: Iterable[Event], *, whole: bool = False, title: str = "Fix the dates"
) -> SharedRun:
    study = Study(build(events))
    run = study.trajectory
    return SharedRun(
        Conversation("c", title=title), study, run.steps, hidden_events(run), whole=whole
    )


def text_by(write: Write, run: SharedRun) -> str:
    return "".join(write(run, Sink(run)))


def written(events: Iterable[Event], *, whole: bool = False, title: str = "Fix the dates") -> str:
    return text_by(page, shared(events, whole=whole, title=title))


def read(events: Iterable[Event], *, whole: bool = False, title: str = "Fix the dates") -> Reader:
    return Reader(written(events, whole=whole, title=title))
