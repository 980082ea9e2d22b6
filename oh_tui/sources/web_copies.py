"""Files at https addresses, fetched once into the folder where packed files are unpacked."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from oh_tui.api.errors import TooLarge
from oh_tui.api.http.connections import Connections
from oh_tui.api.web_files import WebFile, open_web_file
from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import copies, locked_dirs
from oh_tui.trajectory.formats.unpack import SEEN, SPARE

LARGEST = 64 * 2**30
"""Most bytes of a file that is fetched."""

WHOLE = 0o400
"""The file mode of a copy. Being read-only, a copy without its end counts as cut off, not as still
being written."""

Agree = Callable[[str, int | None], None]
"""Called with the name, and with the size if known. Raises Problem for a no."""

Progress = Callable[[int, int | None], None]


class WebCopy:
    def __init__(self, address: str) -> None:
        self._address = address
        self.name = _name(address)

    async def fetch(self, connections: Connections, agree: Agree, progress: Progress) -> Path:
        """The path of the copy. Fetches it unless there is one of this version. Raises Problem."""
        try:
            async with open_web_file(connections, self._address) as file:
                version = file.version or os.urandom(16).hex()
                top = copies.place() / copies.key_of(f"{self._address}\n{file.total}\n{version}")
                path = top / copies.FILES / self.name
                with locked_dirs.locked(top):
                    locked_dirs.use(top)
                    if not path.exists():
                        self._refuse(file.total, top)
                        agree(self.name, file.total)
                        with locked_dirs.making(path.parent) as part:
                            taken = await self._save(file, part / self.name, progress)
                            copies.count(top, taken, taken)
                return path
        except BlockingIOError:
            raise Problem(f"Another oh-tui downloads {self.name}", "wait for it") from None
        except OSError as error:
            told = os.strerror(error.errno or 0)
            raise Problem(f"{self.name} cannot be written: {told}") from error

    async def _save(self, file: WebFile, path: Path, progress: Progress) -> int:
        place = seen = 0
        with path.open("xb") as out:
            async for piece in file.pieces:
                out.write(piece)
                place += len(piece)
                if place - seen > SEEN:
                    self._refuse(None, path.parent)
                    seen = place
                if place > LARGEST:
                    raise TooLarge(
                        f"{self.name} is longer than {size(LARGEST)}", "it may have no end"
                    )
                progress(place, file.total)
            os.fchmod(out.fileno(), WHOLE)
        return place

    def _refuse(self, total: int | None, folder: Path) -> None:
        if total is not None and total > LARGEST:
            raise TooLarge(f"{self.name} has {size(total)}, more than oh-tui fetches")
        free = shutil.disk_usage(folder).free
        if free < (total or 0) + SPARE:
            raise Problem(f"{size(free)} are free for {self.name}", "free some of the disk")


def _name(address: str) -> str:
    """The last part of the address, as a file name that is safe on any file system."""
    last = unquote(urlsplit(address).path).rstrip("/").rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9._-]", "_", last)[-80:].lstrip(".-") or "file"
