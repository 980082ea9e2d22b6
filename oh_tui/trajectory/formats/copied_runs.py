"""The runs in the folders of an unpacked tar."""

from __future__ import annotations

from collections.abc import Iterable

from oh_tui.trajectory.formats.run_file import Source, short_name
from oh_tui.trajectory.formats.zip.folder_members import FolderMembers
from oh_tui.trajectory.formats.zip.zip_layout import EVENT_FILE, STATE_FILES, SUB_AGENTS, home_of
from oh_tui.trajectory.formats.zip.zip_members import CannotRead


class CopiedMembers(FolderMembers):
    """The files of a run that no program adds to."""

    grows = False

    def __init__(self, tar: Source, home: str) -> None:
        super().__init__(tar.path / home)
        names = tar.about.names or [""]
        self.is_cut = tar.about.is_cut and _home(names[-1]) == home
        self._partial = tar.path / tar.about.partial

    def read_name(self, name: str) -> bytes:
        if self.folder / name == self._partial:
            raise CannotRead("cut off")
        return super().read_name(name)


def runs_in(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The folders that contain a run, in the order of the tar, and the files that belong to
    none."""
    homes, others = dict[str, None](), list[str]()
    for name in names:
        if (home := _home(name)) is None:
            others.append(name)
        elif not name.endswith("meta.json"):  # a meta.json alone is no run
            homes[home] = None
    return list(homes), others


def _home(name: str) -> str | None:
    """The home of the run that a file belongs to. A sub-agent's file belongs to its parent's
    run."""
    folder, _, file = name.rpartition("/")
    if EVENT_FILE.fullmatch(name):
        folder = home_of(folder)
    elif file not in STATE_FILES:
        return None
    parts = folder.split("/")
    return "/".join(parts[: parts.index(SUB_AGENTS)]) if SUB_AGENTS in parts else folder


class UniqueNames:
    """Gives each run of a file a unique name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, short: str, path: str) -> str:
        """Takes `short`, or `path` if another run has that name."""
        for name in (short, path, f"{short}@{len(self._taken) + 1}"):
            if (shown := short_name(name)) and shown not in self._taken:
                break
        self._taken.add(shown)
        return shown
