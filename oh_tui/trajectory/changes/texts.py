"""Texts of files, whatever their line ends."""

from __future__ import annotations

import hashlib


def same_ends(text: str) -> str:
    """A text with the line ends that every later reader of the file reports."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def digest_of(text: str) -> bytes:
    """The same for texts that differ in line ends alone."""
    data = same_ends(text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16).digest()
