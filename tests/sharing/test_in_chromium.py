"""The page in Chromium: what it does, what it never does, and whether everybody can read it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oh_tui.trajectory.model.events import Event
from tests.demo_runs import demo_run
from tests.sharing.reader import written
from tests.sharing.test_page import HOSTILE
from tests.trajectory.made import failure, message, output, shell

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield started
        started.close()


class Opened:
    """A page, with what it asked for, and what its console said."""

    def __init__(self, browser: Any, file: Path, **context: Any) -> None:
        self.page = browser.new_context(**context).new_page()
        self.page.set_default_timeout(20_000)
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.file = file

    def go(self, fragment: str = "") -> Any:
        self.page.goto(f"{self.file.as_uri()}{fragment}")
        return self.page

    @property
    def sent(self) -> list[str]:
        """Requests for anything but the file itself and what is in it."""
        own = self.file.as_uri()
        return [url for url in self.asked if not url.startswith((own, "data:"))]


def put(folder: Path, events: list[Event], **more: Any) -> Path:
    file = folder / "run.html"
    file.write_text(written(events, **more), "utf-8")
    return file


def hostile() -> list[Event]:
    events = []
    for number, text in enumerate((*HOSTILE, "x" * 1_000_000)):
        events += [message(f"m{number}", text), shell(f"a{number}", text)]
        events += [output(f"a{number}", text, 1) if number % 2 else failure(f"a{number}", text)]
    return events


def open_all(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")


def is_read(page: Any, step: int) -> bool:
    """Whether the body of a step takes room on the page."""
    told = page.locator(f"#step-{step} > .body").evaluate(
        "(body) => body.checkVisibility({ contentVisibilityAuto: false })"
    )
    return bool(told) and page.locator(f"#step-{step} > .body").bounding_box()["height"] > 10


@pytest.mark.parametrize("scripts", [True, False])
def test_hostile_texts_stay_texts_and_nothing_is_sent(
    browser: Any, tmp_path: Path, scripts: bool
) -> None:
    it = Opened(browser, put(tmp_path, hostile(), whole=True, title=HOSTILE[0]),
                java_script_enabled=scripts)  # fmt: skip
    page = it.go()
    page.locator("details.step").last.scroll_into_view_if_needed()
    open_all(page)
    page.wait_for_timeout(300)
    assert (it.sent, it.said) == ([], [])
    assert page.locator("script, style, link, iframe, object, embed, form").count() == 4
    assert page.locator("svg").count() == 1 and page.locator("img").count() == 0
    assert page.title() == HOSTILE[0]
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_the_search_finds_every_word_in_any_order(browser: Any, tmp_path: Path) -> None:
    it = Opened(browser, put(tmp_path, list(demo_run("week-dates").events)))
    page = it.go()
    page.keyboard.press("/")
    page.keyboard.type("prop pytest")
    page.locator("#found:not(:empty)").wait_for()
    shown = page.locator("#steps ~ details.step:not([hidden])")
    texts = [each.lower() for each in shown.evaluate_all("(all) => all.map((s) => s.textContent)")]
    assert 0 < len(texts) < 61 and all("prop" in t and "pytest" in t for t in texts)
    assert page.locator("#found").text_content() == f"{len(texts)} of 61 steps"
    page.keyboard.press("Enter")
    assert shown.first.get_attribute("open") is not None
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    assert page.locator("details.step[hidden]").count() == 0
    assert it.said == []


def test_keys_go_from_step_to_step_and_to_errors(browser: Any, tmp_path: Path) -> None:
    it = Opened(browser, put(tmp_path, list(demo_run("week-dates").events)))
    page = it.go()

    def here() -> str:
        at = "document.activeElement.closest('details').id"
        return str(page.evaluate(at))

    page.locator("#step-3 > summary").focus()
    for key, name in (("j", "step-4"), ("j", "step-5"), ("k", "step-4"), ("e", "step-10")):
        page.keyboard.press(key)
        bad = page.locator(f"#{here()}").get_attribute("class") == "step bad"
        assert bad if key == "e" else here() == name
    seen = "parseInt(getComputedStyle(document.activeElement).outlineOffset)"
    assert page.evaluate(seen) < 0, "a step clips what is drawn around it"
    assert it.said == []


def test_an_address_of_a_step_that_a_search_hides_ends_the_search(
    browser: Any, tmp_path: Path
) -> None:
    it = Opened(browser, put(tmp_path, list(demo_run("week-dates").events)))
    page = it.go("#%E0")
    page.locator("#search").fill("CHANGELOG")
    page.locator("#step-58[hidden]").wait_for(state="attached")
    page.evaluate("location.hash = 'step-58'")
    page.locator("#step-58[open]").wait_for()
    assert page.locator("#search").input_value() == ""
    assert it.said == []


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("kind", ["step", "event"])
def test_an_address_opens_its_step(browser: Any, tmp_path: Path, scripts: bool, kind: str) -> None:
    run = demo_run("week-dates")
    name = "#step-30" if kind == "step" else f"#event-{run.steps[29].event.id}"
    it = Opened(browser, put(tmp_path, list(run.events)), java_script_enabled=scripts)
    page = it.go(name)
    page.wait_for_timeout(200)
    assert is_read(page, 30) and not is_read(page, 31)
    box = page.locator("#step-30").bounding_box()
    assert -50 < box["y"] < page.viewport_size["height"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 375), ("dark", 1400)])
def test_everybody_can_read_it(browser: Any, tmp_path: Path, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_core_python.sync_playwright")
    size = {"width": width, "height": 900}
    it = Opened(browser, put(tmp_path, list(demo_run("fix-add").events)), viewport=size,
                color_scheme=scheme)  # fmt: skip
    page = it.go()
    open_all(page)
    found = axe.Axe().run(page)["violations"]
    told = [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found
            if each["impact"] in SERIOUS]  # fmt: skip
    assert told == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scripts", [True, False])
def test_on_paper_closed_parts_are_open(browser: Any, tmp_path: Path, scripts: bool) -> None:
    events = [
        each for n in range(40) for each in (shell(f"s{n}", f"make part{n}"), output(f"s{n}"))
    ]
    it = Opened(browser, put(tmp_path, events), java_script_enabled=scripts)
    page = it.go()
    page.emulate_media(media="print")
    assert is_read(page, 3) and is_read(page, 39)
    assert not page.locator("#bar").is_visible()
    assert page.pdf().count(b"/Type /Page\n") >= 2
