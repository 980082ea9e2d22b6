"""Blocks of images, which are named and not drawn."""

from __future__ import annotations

from oh_tui.trajectory.model.bodies import field, list_field, text_field
from oh_tui.trajectory.model.images import IMAGE_PATHS, find_images, is_image
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import Block, ImageNote


def images(body: dict[str, object]) -> list[Block]:
    """A note for each image."""
    found = find_images(body)
    _take_images(body)
    of = f" of {len(found)}" if len(found) > 1 else ""
    return [
        ImageNote(f"{n}{of}: {image}" if of else str(image), many=bool(of))
        for n, image in enumerate(found, 1)
    ]


def _take_images(body: dict[str, object]) -> None:
    """Takes the data of images; a text in the place of an image is left."""
    if is_image(text_field(body, "observation", "screenshot_data")):
        take.value(body, "observation", "screenshot_data")
    for path in IMAGE_PATHS:
        for block in list_field(body, *path):
            inside = field(block, "content")
            inside = inside if isinstance(inside, dict) else block
            if field(inside, "type") != "image":
                continue
            take.usual(block, "type")
            take.usual(inside, "type")
            urls = field(inside, "image_urls")
            if isinstance(urls, list):
                inside["image_urls"] = [
                    url for url in urls if not (isinstance(url, str) and is_image(url))
                ]
            elif is_image(text_field(inside, "data")):
                take.value(inside, "data")
                take.text(inside, "mimeType")
