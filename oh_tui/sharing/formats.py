"""The formats that explorer and `oh-tui export` write of a run, by name; and how a new file is
written: whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from oh_tui.settings.part_file import part_file, publish_as
from oh_tui.sharing.atif import atif
from oh_tui.sharing.cast import cast
from oh_tui.sharing.html.page import page, read_page
from oh_tui.sharing.markdown import markdown
from oh_tui.sharing.otlp.otlp import otlp
from oh_tui.sharing.shared_run import SharedRun, Sink, Write
from oh_tui.text.problem import Problem, Remedy

LONGEST, LONGEST_LINE = 100_000, 600
"""Characters of the file that the preview is made of."""


class Format(NamedTuple):
    label: str
    ending: str
    """Of the names of its files."""
    write: Write
    sub_agents: bool = False
    """Of a whole run it has their steps."""
    has_notes: bool = True
    read: Callable[[str], str] = str
    """Turns a piece of the file into the text that people read."""

    def head(self, run: SharedRun, most: int) -> str:
        """The first lines of the file as people read it, at most `most`."""
        text = ""
        for piece in self.write(run, Sink(run)):
            text += self.read(piece)
            if text.count("\n") >= most or len(text) > LONGEST:
                break
        return "\n".join(line[:LONGEST_LINE] for line in text.splitlines()[:most])


FORMATS = {
    "html": Format("web page", ".html", page, sub_agents=True, read=read_page),
    "md": Format("Markdown", ".md", markdown),
    "cast": Format("recording (asciinema)", ".cast", cast, has_notes=False),
    "atif": Format("ATIF", ".json", atif, sub_agents=True, has_notes=False),
    "otlp": Format("traces (OTLP)", ".jsonl", otlp, sub_agents=True, has_notes=False),
}


def write(
    target: Path,
    pieces: Iterable[str] | Iterable[bytes],
    publish: Callable[[Path, Path], Path | None] = publish_as,
) -> Path:
    """Returns the path, which `publish` may change. Whatever ends it before leaves nothing."""
    try:
        with part_file(target) as (file, part):
            for one in pieces:
                file.write(one if isinstance(one, bytes) else one.encode("utf-8", "replace"))
            file.flush()
            return publish(part, target) or target
    except Problem as problem:
        if problem.hint != Remedy.OTHER_FOLDER:
            raise
        raise Problem(problem.sentence, "choose another place") from problem
