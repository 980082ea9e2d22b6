"""Who reads runs: the source that is open, and the settings."""

from __future__ import annotations

import msgspec

from oh_tui.catalog import user_annotations
from oh_tui.settings.startup import Settings
from oh_tui.sources.source import Source


class Reader(msgspec.Struct, kw_only=True):
    settings: Settings
    opened: Source | None = None
    server: str = ""
    """What the command line calls the server."""
    branch: int | None = None
    """That which is read of a run with branches; None for the active one."""
    asks: int | None = None
    """How many runs a pass over many reads from a server although this machine does not have them;
    None: none, which `oh-tui index` is for."""
    about: str = ""
    """The short id of the conversation in question, for hints that name it."""

    @property
    def source(self) -> Source:
        """A server, the demo or files. `cli` opens and closes it; a command that reads nothing
        has none."""
        assert self.opened is not None
        return self.opened

    def annotations(self) -> user_annotations.Annotations:
        """All that the user keeps of runs; nothing with `--no-state`."""
        return user_annotations.Annotations(self.settings.annotations_file)
