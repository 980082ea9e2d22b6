"""Files in memory, as a sandbox keeps them: content, folders, and when each was changed."""

from __future__ import annotations

from collections.abc import Callable


class Files(dict[str, bytes]):
    """The content of files by absolute path. `clock` says when a file is changed."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self.clock = clock
        self.folders: dict[str, float] = {}
        """Folders that were made by themselves, and when; all others are those of a file."""
        self._changed: dict[str, float] = {}

    def __setitem__(self, path: str, content: bytes) -> None:
        self.put(path, content, self.clock())

    def put(self, path: str, content: bytes, at: float) -> None:
        """Write a file as of a time."""
        super().__setitem__(path, content)
        self._changed[path] = at

    def below(self, path: str) -> list[str]:
        """The files in a folder and its folders."""
        return [name for name in self if name.startswith(path.rstrip("/") + "/")]

    def is_folder(self, path: str) -> bool:
        return path == "/" or path in self.folders or bool(self.below(path))

    def names(self, folder: str) -> list[str]:
        """What is directly in a folder, in the order of bytes."""
        start = len(folder.rstrip("/")) + 1
        made = [one for one in self.folders if one.startswith(folder.rstrip("/") + "/")]
        inside = [*self.below(folder), *made]
        return sorted({name[start:].partition("/")[0] for name in inside})

    def changed(self, path: str) -> float:
        """When a file was changed, or the newest in a folder."""
        if path in self:
            return self._changed[path]
        inside = (self._changed[name] for name in self.below(path))
        return max(inside, default=self.folders.get(path, 0.0))

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        for name in [path] if path in self else self.below(path):
            del self[name]
        for folder in [one for one in self.folders if one == path or one.startswith(f"{path}/")]:
            del self.folders[folder]
