"""Links that lead out of a folder."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path


def reach_out(folder: Path, files: Collection[Path]) -> set[Path]:
    """Those of the runs and files of runs below a folder that a link out of it could be read with:
    that are one, or hold one, or, as what is beside a zip is not read with it, are no zip and have
    one beside or below them that is not a run itself."""
    home = Path(os.path.realpath(folder))
    out = [one for one in _links(folder) if not Path(os.path.realpath(one)).is_relative_to(home)]
    others = set(out).difference(files)

    def reaches(file: Path) -> bool:
        with_it = file if file.is_dir() or file.suffix.lower() == ".zip" else file.parent
        return file in out or any(with_it in link.parents for link in others)

    return {file for file in files if reaches(file)} if out else set()


def _links(folder: Path) -> Iterator[Path]:
    for home, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(home, name)
            if path.is_symlink():
                yield path
