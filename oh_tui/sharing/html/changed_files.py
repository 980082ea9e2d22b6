"""The files that a run changed, with what it did to them."""

from __future__ import annotations

from collections.abc import Iterator

from oh_tui.sharing.hidden import Hidden
from oh_tui.sharing.html.blocks import blocks_html
from oh_tui.sharing.html.escaping import text
from oh_tui.text.human import plural
from oh_tui.text.redact import safe
from oh_tui.trajectory.analysis.changes import ChangeLog, FileChange
from oh_tui.trajectory.presentation.block import Diff
from oh_tui.trajectory.presentation.difference import unified


def changed_files_html(log: ChangeLog, hidden: Hidden, *, whole: bool) -> Iterator[str]:
    if not log.files:
        return
    yield (
        '<section aria-labelledby="files"><h2 id="files">Changed files</h2>\n'
        f'<p class="note">{text(log.note)}</p>\n'
    )
    for file in log.files:
        diff, told = _diff(log, file)
        diff = safe(diff)
        hidden.take(file.shown, diff)
        edits = ", ".join(f'<a href="#step-{n}">{n}</a>' for n in file.steps[-_MOST_LINKS:])
        size = " ".join(
            f'<span class="h-{hue}-sign">{sign}{count}</span>'
            for hue, sign, count in (("add", "+", file.added), ("del", "-", file.removed))
            if count
        )
        body = blocks_html([Diff(diff, file.shown)], iter(()), whole=whole) if diff else ""
        yield (
            f'<details class="file"><summary><span class="what">{text(file.shown)}</span>'
            f'<span class="came">{text(file.fate)}</span><span class="ran">{size}</span>'
            f'</summary><div class="body"><p class="about">{told} · '
            f"changed by {plural(len(file.steps), 'step')}: {edits}</p>\n{body}\n</div></details>\n"
        )
    yield "</section>\n"


_MOST_LINKS = 20


def _diff(log: ChangeLog, file: FileChange) -> tuple[str, str]:
    """From its first text to its last if both are known, else of the last edit; and which it is."""
    if (texts := log.whole_change(file.path)) is not None:
        return unified(*texts), "from before the first edit to after the last"
    [(number, diff)] = log.hunks(file.path, 1)
    return diff, f"the last edit, at step {number}"
