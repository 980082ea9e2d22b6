"""Writes docs/commands.md and docs/oh-tui.1 from the parsers of the commands.

Run it as `python -m scripts.commands_reference`.
"""

from __future__ import annotations

from pathlib import Path

from oh_tui.commands.framework.reference import manual, reference

DOCS = Path(__file__).parent.parent / "docs"

if __name__ == "__main__":
    (DOCS / "commands.md").write_text(reference(), "utf-8")
    (DOCS / "oh-tui.1").write_text(manual(), "utf-8")
