"""Images: recognised by their first bytes, whatever the event claims."""

from __future__ import annotations

import base64
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.demo.runs.tool_calls import SCREENSHOT
from oh_tui.text.clean import clean_line
from oh_tui.trajectory.model.images import Image, data_text, find_images, images_of, is_image
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.made import message, result, shell


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


GIF = b"GIF89a" + (320).to_bytes(2, "little") + (200).to_bytes(2, "little") + b"\0" * 9
JPEG = (
    b"\xff\xd8\xff\xe1\x00\x10" + b"x" * 14
    + b"\xff\xc0\x00\x11\x08" + (800).to_bytes(2, "big") + (1200).to_bytes(2, "big") + b"\0" * 9
)  # fmt: skip
WEBP = b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 8 + b"\x3f\x00\x00\x27\x00\x00"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (SCREENSHOT, "image, PNG 64x40, 158 B"),
        (encoded(GIF), "image, GIF 320x200, 19 B"),
        (encoded(JPEG), "image, JPEG 1200x800, 38 B"),
        (encoded(WEBP), "image, WebP 64x40, 30 B"),
        ("data:image/gif;base64," + SCREENSHOT, "image, PNG 64x40, 158 B"),
        ("%%%", "image that cannot be read, 2 B"),
        ("https://a.b/c\x1b[31m.png", "image at https://a.b/c.png"),
    ],
)
def test_format_and_size_come_from_the_bytes(data: str, told: str) -> None:
    block = {"type": "image", "image_urls": [data]}
    assert [str(image) for image in find_images({"llm_message": {"content": [block]}})] == [told]


def test_images_are_found_in_every_place_that_holds_them() -> None:
    png = {"type": "image", "image_urls": [SCREENSHOT, SCREENSHOT]}
    mcp = {"type": "image", "data": SCREENSHOT, "mimeType": "image/png"}
    run = Trajectory()
    seen = {"kind": "BrowserObservation", "screenshot_data": SCREENSHOT, "content": [png]}
    run.extend([shell("a"), result("a", seen), message("m", "look", extended_content=[png])])
    assert [image.what for image in images_of(run.steps[0])] == ["screenshot", "image", "image"]
    assert len(images_of(run.steps[1])) == 2
    assert len(find_images({"content": [{"type": "content", "content": mcp}, mcp, "x", None]})) == 2
    assert find_images({"content": {"type": "image"}, "observation": [mcp]}) == []
    assert images_of(run.steps[0])[0].decode() == base64.b64decode(SCREENSHOT)


def test_ten_megabytes_are_told_without_being_decoded() -> None:
    body = {"observation": {"screenshot_data": SCREENSHOT[:120] + "A" * 10_000_000}}
    tracemalloc.start()
    try:
        assert [image.format for image in find_images(body)] == ["PNG"]
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


odd = st.recursive(
    st.none() | st.integers() | st.text(max_size=20) | st.just(SCREENSHOT[:30]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "image_urls", "data", "content"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.binary(max_size=80), odd)
def test_nothing_raises(data: bytes, value: Any) -> None:
    heads = (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFFxxxxWEBPVP8X", b"BM")
    for head in heads:
        text = encoded(head + data)
        for source in (text, text[:-1], text + "=", text[3:]):
            body = {"observation": {"screenshot_data": source, "content": value}, "content": value}
            for image in find_images(body):
                assert isinstance(image, Image) and clean_line(str(image)) == str(image)
                image.decode()


LISTING = "\n".join(f"{name}{n}" for n in range(20) for name in ("Makefile", "src/Main", "LICENSE"))


@pytest.mark.parametrize("text", [LISTING, "Users/My-Name_2/Projects/" * 20])
def test_names_and_paths_are_text_though_they_have_the_letters_of_base64(text: str) -> None:
    assert len(text) > 256
    assert not data_text(text)
    assert not is_image(text)


@pytest.mark.parametrize("width", [0, 60, 64, 76])
def test_base64_is_data_also_when_it_is_wrapped(width: int) -> None:
    text = encoded(bytes(range(256)) * 4)
    lines = [text[n : n + width] for n in range(0, len(text), width)] if width else [text]
    assert data_text("\r\n".join(lines) + "\n").startswith("data, ")
