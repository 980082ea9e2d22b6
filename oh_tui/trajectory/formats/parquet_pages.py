"""What the lists in a row group of Parquet may unpack to, told by the heads of its pages.

A text that a file holds once may be each of thousands of values in a list, and pyarrow decodes a
row whole: a row of 1 kB in the file can take 60 GB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

Read: TypeAlias = Callable[[int, int], bytes]
"""A part of the file by start and count; shorter at the end."""

_WINDOW, _LONGEST_HEAD = 2**12, 2**26
"""Bytes in which the head of a page is looked for, at first and at most: it may quote values."""

_MOST_VALUES = 2**20
"""Values of a dictionary that are measured one by one."""

_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_BY_DICTIONARY, _BY_PREFIX = (2, 8), 7
"""Encodings in which a value stands once, or goes on from the value before it."""

_WIDTH = 8
"""Bytes of a value of another type than text, at least of its place in a list."""

_FIELDS = {_DATA: (5, 2), _DATA_V2: (8, 4)}
"""Kind of page -> its field in the head, and in that the field with the encoding."""


class Bound(NamedTuple):
    """The most bytes that a column of a row group takes once it is decoded."""

    plain: int
    """Without the texts of its dictionary."""
    repeated: int
    """Of these, each counted as often as it may stand in the column."""
    dictionary: int
    """Of the dictionary itself."""


class Page(NamedTuple):
    kind: int
    size: int
    packed: int
    values: int
    encoding: int
    start: int
    """Where its data begins."""


def bound(column: Any, longest: int, read: Read, unpack: Callable[[bytes, int], bytes]) -> Bound:
    """Of a column, by its metadata in pyarrow; `longest` is the length of a value of fixed size.
    Raises ValueError for pages that cannot be followed."""
    plain: int = column.num_values * max(_WIDTH, longest)
    is_text = column.physical_type == "BYTE_ARRAY"
    repeated = dictionary = value = 0
    for page in checked(column, read):
        if not is_text:
            continue
        if page.kind == _DICTIONARY:
            dictionary = page.size
            value = _longest(page, read, unpack)
        elif page.encoding in _BY_DICTIONARY:
            repeated += page.values * value
        elif page.encoding == _BY_PREFIX:
            plain += page.values * page.size
        else:
            plain += page.size
    return Bound(plain, repeated, dictionary)


def checked(column: Any, read: Read) -> Iterator[Page]:
    """The pages of a column. Raises ValueError where they are larger, or have other values, than
    the file tells of the column: a page of 20 bytes can have 2 billion values."""
    left: int = column.num_values
    for page in _pages(column, read):
        if page.size > column.total_uncompressed_size:
            raise ValueError("a page larger than its column")
        if page.kind != _DICTIONARY:
            left -= page.values
        if left < 0:
            break
        yield page
    if left:
        raise ValueError("other values than its column")


def _longest(page: Page, read: Read, unpack: Callable[[bytes, int], bytes]) -> int:
    """Bytes of the longest value of a dictionary."""
    if page.values > _MOST_VALUES:
        return page.size
    try:
        data = unpack(read(page.start, page.packed), page.size)
    except Exception:  # pyarrow has errors of its own
        return page.size
    longest = place = 0
    for _ in range(page.values):
        length = int.from_bytes(data[place : place + 4], "little")
        longest, place = max(longest, length), place + 4 + length
    return min(longest, page.size)


def _pages(column: Any, read: Read) -> Iterator[Page]:
    starts = (column.dictionary_page_offset, column.data_page_offset)
    place: int = min(start for start in starts if start)
    end: int = place + column.total_compressed_size
    while place < end:
        page = _page(place, read)
        yield page
        place = page.start + page.packed


def _page(place: int, read: Read) -> Page:
    window = _WINDOW
    while True:
        data = read(place, window)
        try:
            head, length = _struct(data, 0)
            break
        except IndexError:
            if len(data) < window or window >= _LONGEST_HEAD:
                raise ValueError("the head of a page is cut off") from None
            window *= 16
    kind, size, packed = (_count(head, number) for number in (1, 2, 3))
    number, encoding = _FIELDS.get(kind, (7, 2))
    told = head.get(number)
    if not isinstance(told, dict):  # the page of an index
        return Page(kind, size, packed, 0, -1, place + length)
    return Page(kind, size, packed, _count(told, 1), _count(told, encoding), place + length)


def _count(fields: dict[int, Any], number: int) -> int:
    value = fields.get(number)
    if not isinstance(value, int) or value < 0:
        raise ValueError("no head of a page")
    return value


# The compact protocol of Thrift, as far as heads of pages use it


def _struct(data: bytes, place: int, depth: int = 0) -> tuple[dict[int, Any], int]:
    """The fields of a struct, and where it ends. Raises IndexError at the end of the data."""
    if depth > 8:
        raise ValueError("nested too deep")
    found: dict[int, Any] = {}
    number = 0
    while data[place]:
        delta, kind = data[place] >> 4, data[place] & 15
        place += 1
        if delta:
            number += delta
        else:
            number, place = _signed(data, place)
        found[number], place = _value(data, place, kind, depth)
    return found, place + 1


def _value(data: bytes, place: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2):  # true, false
        return kind == 1, place
    if kind == 3:
        return data[place], place + 1
    if kind in (4, 5, 6):
        return _signed(data, place)
    if kind == 7:
        return None, place + 8
    if kind == 8:
        length, place = _unsigned(data, place)
        data[place + length]  # the struct goes on
        return None, place + length
    if kind == 12:
        return _struct(data, place, depth + 1)
    raise ValueError("no head of a page")


def _unsigned(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value, place, shift = value | (byte & 127) << shift, place + 1, shift + 7
        if byte < 128:
            return value, place
        if shift > 63:
            raise ValueError("no number")


def _signed(data: bytes, place: int) -> tuple[int, int]:
    value, place = _unsigned(data, place)
    return value >> 1 ^ -(value & 1), place
