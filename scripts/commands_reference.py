"""Writes docs/commands.md anew from the parsers: .venv/bin/python scripts/commands_reference.py"""

from __future__ import annotations

from pathlib import Path

from oh_tui.commands.shared.reference import reference

PLACE = Path(__file__).parent.parent / "docs" / "commands.md"

if __name__ == "__main__":
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(reference(), "utf-8")
