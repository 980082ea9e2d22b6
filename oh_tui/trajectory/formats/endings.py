"""The table of file endings: which files may contain runs, which are packed, and which files of a
tar are unpacked."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.text.patterns import pattern

PACKED = ("gz", "xz", "zst", "bz2")

KINDS = {
    "zip": "zip", "json": "document", "traj": "document", "jsonl": "rows", "ndjson": "rows",
    "tar": "tar", "parquet": "parquet",
}  # fmt: skip
"""Ending of a file -> its kind. Documents, rows and tars may be packed."""

_TARS = {"tgz": "gz", "txz": "xz", "tbz2": "bz2", "tzst": "zst"}
"""Endings that mean tar and packing at once."""

_NAME = pattern(
    rf"(?i)(?P<stem>.+?)\.(?:(?P<kind>{'|'.join(KINDS)})(?:\.(?P<packed>{'|'.join(PACKED)}))?"
    rf"|(?P<tar>{'|'.join(_TARS)}))"
)

TAR_ENDINGS = (*(f".tar.{one}" for one in PACKED), ".tgz", ".tar")

PACKED_ENDINGS = ("", *(f".{one}" for one in PACKED))
"""What may follow the ending of a file that may be packed."""

_ATTEMPT = pattern(r"output\.critic_attempt_\d+(\.jsonl.*)")

_TOLD = frozenset({"reward.txt"})
"""Other files that say something about a run. So does each file in a folder `agent`, as in Harbor's
trials."""


class Ending(NamedTuple):
    kind: str = ""
    """A value of KINDS; "" if the name is not that of a file with runs."""
    stem: str = ""
    """The name without its ending."""
    is_packed: bool = False


def ending_of(name: str) -> Ending:
    found = _NAME.fullmatch(name)
    if found is None:
        return Ending(stem=name)
    kind = KINDS[found["kind"].lower()] if found["kind"] else "tar"
    is_packed = bool(found["packed"] or found["tar"])
    if is_packed and kind in ("zip", "parquet"):
        return Ending(stem=name)
    return Ending(kind, found["stem"], is_packed)


def may_hold_runs(name: str) -> bool:
    return bool(ending_of(name).kind) or unpacked_name(name) != name


def output_of(name: str) -> str:
    """The output that has the best rows of this attempt of an evaluation; "" if the name is not
    that of an attempt."""
    found = _ATTEMPT.fullmatch(name)
    return f"output{found[1]}" if found else ""


def unpacked_name(name: str) -> str:
    """The name of a packed file after unpacking."""
    stem, dot, last = name.rpartition(".")
    return stem if dot and stem and last.lower() in PACKED else name


def is_wanted(name: str) -> bool:
    """Whether a file in a tar may contain or label a run. Others are not unpacked."""
    folder, _, last = name.rpartition("/")
    return bool(ending_of(last).kind) or last in _TOLD or folder.rpartition("/")[2] == "agent"
