"""A tar as people pass it on: runs in folders, outputs of evaluations, and tar files of runs.

The `results.tar.gz` of OpenHands/benchmarks holds `output.jsonl`, its report, and
`conversations/ID.tar.gz`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.lines import conversation_beside
from oh_tui.trajectory.formats.lines.json_lines import JsonLines, are_lines
from oh_tui.trajectory.formats.run_file import (
    HEAD,
    Entry,
    Format,
    FormatProblem,
    Indexes,
    RunFile,
    RunList,
    shown_name,
)
from oh_tui.trajectory.formats.streams import PartStream, Stream, open_stream, unpacked
from oh_tui.trajectory.formats.tar.tar_runs import Opener, TarRuns
from oh_tui.trajectory.formats.tar.tar_table import Member, is_header

_OUTPUT = pattern(r".+\.jsonl(?:\.(?:gz|xz|zst))?")
_ATTEMPT = pattern(r"output\.critic_attempt_\d+\.jsonl.*")
_TAR = pattern(r"(.+?)(?:\.tar(?:\.(?:gz|xz|zst))?|\.tgz)")

MOST_FILES = 20_000
"""Files beside outputs, and tar files, that are kept in mind."""


class TarFolder:
    """A folder in a tar."""

    def __init__(self, tar: Stream, home: str, files: dict[str, Member]) -> None:
        self._tar, self._files = tar, files
        self._before = f"{home}/" if home else ""

    def names(self, ending: str, most: int) -> list[str]:
        """In the order of the tar, so that a packed one is read once."""
        before = self._before
        return [
            name[len(before) :]
            for name in self._files
            if name.startswith(before) and name.endswith(ending) and "/" not in name[len(before) :]
        ][:most]

    def open(self, name: str) -> Stream:
        found = self._files.get(self._before + name)
        if found is None:
            raise FileNotFoundError(name)
        return PartStream(self._tar, found.start, found.size)


class ResultsTar(TarRuns):
    def __init__(self, name: str, stream: Stream) -> None:
        super().__init__(name, stream)
        self._files: dict[str, Member] = {}
        """The files that are not of runs in folders, and that may be or label runs."""
        self._lists: list[RunList] = []
        self._told: list[str] = []

    @property
    def problems(self) -> list[str]:
        return super().problems + self._told + [p for runs in self._lists for p in runs.problems]

    def close(self) -> None:
        for runs in self._lists:
            runs.close()
        super().close()

    def take_other(self, member: Member) -> None:
        name = member.name
        if name.endswith(".json") or _OUTPUT.fullmatch(name) or _TAR.fullmatch(name):
            if len(self._files) < MOST_FILES:
                self._files[name] = member
            elif len(self._files) == MOST_FILES and not self._told:
                self._told.append(f"{self.name} holds more than {MOST_FILES:,} files beside runs")

    def more(self) -> Iterator[None]:
        """The rows of outputs, then the runs of tar files that are not joined to a row."""
        joined: set[str] = set()
        for file in list(self._files):
            home, _, name = file.rpartition("/")
            if not _OUTPUT.fullmatch(name) or self._is_other_attempt(home, name):
                continue
            before = f"{home}/" if home else ""
            for entry in self._rows(file, home):
                instance = entry.name.removesuffix(f"@{entry.info.get('attempt')}")
                for ending in conversation_beside.ENDINGS:
                    joined.add(f"{before}{conversation_beside.FOLDER}/{instance}{ending}")
                self.add(entry.name or file, entry.info, entry.open)
                yield
        for file in self._files:
            match = _TAR.fullmatch(file)
            if match and file not in joined:
                title = match[1].rpartition("/")[2]
                self.add(title, {"id": title, "title": title}, self._inner(file))
                yield

    def _is_other_attempt(self, home: str, name: str) -> bool:
        before = f"{home}/" if home else ""
        others = (f"{before}output.jsonl{ending}" for ending in ("", ".gz", ".xz", ".zst"))
        return bool(_ATTEMPT.fullmatch(name)) and any(one in self._files for one in others)

    def _part(self, file: str) -> Stream:
        member = self._files[file]
        return unpacked(PartStream(self._stream, member.start, member.size))

    def _rows(self, file: str, home: str) -> Iterator[Entry]:
        where = shown_name(f"{self.name}/{file}")
        try:
            stream = self._part(file)
            if not are_lines(stream.read(0, HEAD), file):
                return  # lines of something else
            runs = JsonLines(where, stream, TarFolder(self._stream, home, self._files))
            self._lists.append(runs)
            yield from runs.entries()
        except (Problem, OSError) as error:
            told = error.sentence if isinstance(error, Problem) else "cannot be read"
            self._told.append(f"{where}: {told}")

    def _inner(self, file: str) -> Opener:
        def opened() -> RunFile:
            where = shown_name(f"{self.name}/{file}")
            stream = self._part(file)
            if not is_header(stream.read(0, 512)):
                raise FormatProblem(f"{where} is no tar")
            runs = TarRuns(where, stream)
            found = sum(1 for _ in runs.entries())
            archive = runs.archive(1)
            notes = runs.problems
            if found > 1:
                notes.append(f"{where} holds {found} runs: the first is shown")
            archive.add_row({}, b"", archive.recorded, notes)
            return archive

        return opened


def _is_tar(head: bytes, name: str) -> bool:
    return is_header(head[:512])


def _open(path: Path, indexes: Indexes | None) -> RunList:
    return ResultsTar(path.name, open_stream(path))


FORMAT = Format("tar of runs", _is_tar, _open)
