"""Every conversation and sandbox of the demo, and which function writes which run."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from oh_tui.demo.meter import GEMINI, HAIKU, LOCAL, SONNET, Model
from oh_tui.demo.recorder import fixed_uuid

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Entry:
    """One conversation. `story` is "module:function" under `oh_tui.demo.scenarios`."""

    slug: str
    title: str | None
    story: str
    age: float
    """Seconds since it was created."""
    sandbox: str = ""
    """The slug of its sandbox; without one the sandbox is gone."""
    repo: str | None = None
    branch: str | None = "main"
    model: Model = SONNET
    pr: tuple[int, ...] = ()
    trigger: str | None = "gui"
    parent: str | None = None
    agent_kind: str = "openhands"
    live: bool = False
    """Part of its events lies in the future."""
    delay: float = 0.0
    """Seconds from its creation to its first event."""

    @property
    def id(self) -> str:
        """As the app server writes it: 32 hex digits."""
        return fixed_uuid("conversation", self.slug).hex

    @property
    def sandbox_id(self) -> str:
        return sandbox_id(self.sandbox or f"gone {self.parent or self.slug}")

    def write(self, run: Any) -> None:
        """Let the scenario write its events."""
        module, name = self.story.split(":")
        found = getattr(import_module(f"oh_tui.demo.scenarios.{module}"), name.split(".")[0])
        if "." in name:
            found = found[name.split(".")[1]]
        found(run)


@dataclass(frozen=True, slots=True)
class Box:
    """One sandbox that is not gone."""

    slug: str
    status: str
    age: float


def sandbox_id(slug: str) -> str:
    number, text = fixed_uuid("sandbox", slug).int, ""
    while number:
        number, digit = divmod(number, 62)
        text = DIGITS[digit] + text
    return text


STARTING_TAKES = 45.0
"""Seconds from when you look until the sandbox that is STARTING is RUNNING."""

RUNNING_LIMIT = 9
"""How many sandboxes may be up (STARTING or RUNNING); a resume above it pauses the oldest."""

BOXES = (
    Box("storefront-ci", "RUNNING", 50),
    Box("docs", "STARTING", 5),
    Box("api", "RUNNING", 13 * MINUTE),
    Box("portal", "RUNNING", 31 * MINUTE),
    Box("intranet", "RUNNING", 52 * MINUTE),
    Box("shop", "RUNNING", 78 * MINUTE),
    Box("storefront-nightly", "RUNNING", 2 * HOUR + 40),
    Box("dates", "RUNNING", 2 * HOUR + 21 * MINUTE),
    Box("books", "RUNNING", 3 * HOUR + 4 * MINUTE),
    Box("png-tools", "ERROR", 5 * HOUR),
    Box("logkeep", "PAUSED", 7 * HOUR),
    Box("billing", "PAUSED", 22 * HOUR),
    Box("parser", "PAUSED", 33 * HOUR),
    Box("shelf", "PAUSED", 2 * DAY + HOUR),
)

_LONG = (
    "Please look into why the nightly export of the warehouse sometimes contains the same order "
    "twice, but only when the daylight saving time changes and a retry happened, and " * 4
)

ENTRIES = (
    # running while you watch
    Entry(
        "flaky-ci",
        "Flaky CI on main",
        "running:flaky_ci",
        42,
        "storefront-ci",
        "acme/storefront",
        live=True,
    ),
    Entry(
        "dark-mode",
        "Docs: dark mode",
        "running:dark_mode",
        5,
        "docs",
        "acme/docs",
        live=True,
        delay=STARTING_TAKES + 8,
    ),
    Entry(
        "pydantic", "Migrate to pydantic 2", "migration:pydantic", 728, "api", "acme/api", live=True
    ),
    Entry(
        "pydantic-notes",
        "Pydantic notes",
        "finished:pydantic_notes",
        9 * MINUTE,
        "api",
        "acme/api",
        model=HAIKU,
    ),
    # waiting for somebody
    Entry(
        "oauth",
        "Add OAuth login",
        "needs_you:oauth",
        9 * MINUTE + 268,
        "portal",
        "acme/portal",
        "auth",
    ),
    Entry(
        "week-dates",
        "Parse ISO week dates",
        "week_dates:week_dates",
        4 * MINUTE + 8_200,
        "dates",
        "acme/dates",
    ),
    Entry(
        "dep-bump",
        "Nightly dependency bump",
        "needs_you:dep_bump",
        2 * HOUR + 4,
        "storefront-nightly",
        "acme/storefront",
        trigger="automation",
    ),
    # over, but their sandbox is up
    Entry(
        "settings-split",
        "Split the settings module",
        "finished:settings_split",
        28 * MINUTE,
        "intranet",
        "acme/intranet",
    ),
    Entry("docker-followup", "Docker follow-ups", "odd:idle", 40 * MINUTE, "shop", "acme/shop"),
    Entry(
        "docker-cache",
        "Cache the docker layers",
        "finished:docker_cache",
        69 * MINUTE,
        "shop",
        "acme/shop",
        pr=(482,),
    ),
    Entry(
        "ledger",
        "Rename Store to Ledger",
        "finished:ledger",
        3 * HOUR + 3 * MINUTE,
        "books",
        "acme/books",
        pr=(479,),
    ),
    # their sandbox failed or is paused
    Entry(
        "crashed",
        "Segfault on huge images",
        "finished:crashed",
        5 * HOUR,
        "png-tools",
        "acme/png-tools",
    ),
    Entry(
        "max-iterations",
        "Get the Windows build green",
        "windows_job:max_iterations",
        7 * HOUR,
        "logkeep",
        "acme/logkeep",
        "windows-ci",
    ),
    Entry(
        "coverage",
        "Raise the coverage of billing",
        "odd:long_run",
        22 * HOUR,
        "billing",
        "acme/billing",
        model=HAIKU,
    ),
    Entry(
        "fuzzing",
        "Fuzz the parser over night",
        "odd:fuzzing",
        33 * HOUR,
        "parser",
        "acme/parser",
        model=LOCAL,
        trigger="openhands_api",
    ),
    Entry("click", "Port the CLI to click", "porting:click", 2 * DAY, "shelf", "acme/shelf"),
    Entry(
        "click-notes",
        "Migration notes",
        "porting:click_notes",
        2 * DAY - 5 * MINUTE,
        "shelf",
        "acme/shelf",
        parent="click",
    ),
    # their sandbox is gone
    Entry(
        "fix-add",
        "Fix the add function",
        "fixes:FIXES.fix-add",
        1 * DAY + 2 * HOUR,
        repo="acme/sums",
    ),
    Entry(
        "eslint",
        "Bump eslint to 10",
        "fixes:FIXES.eslint",
        1 * DAY + 5 * HOUR,
        repo="acme/storefront",
        pr=(468,),
    ),
    Entry(
        "retry", "Explain the retry policy", "tours:retry", 1 * DAY + 7 * HOUR, repo="acme/client"
    ),
    Entry(
        "signup",
        "Why is the signup page slow?",
        "browsing:signup",
        2 * DAY + 3 * HOUR,
        repo="acme/web",
    ),
    Entry(
        "storage-plan",
        "Plan the move to object storage",
        "tours:storage_plan",
        3 * DAY,
        repo="acme/media",
    ),
    Entry(
        "gemini",
        "Ship units as an ES module",
        "tours:gemini",
        3 * DAY + 4 * HOUR,
        repo="acme/units",
        model=GEMINI,
    ),
    Entry(
        "acp",
        "Date picker: keyboard trap",
        "tours:acp",
        4 * DAY,
        repo="acme/widgets",
        agent_kind="acp",
    ),
    Entry(
        "team", "Audit the public endpoints", "team:team", 4 * DAY + 6 * HOUR, repo="acme/gateway"
    ),
    Entry(
        "export-guard",
        "Guard /v1/export.csv",
        "fixes:FIXES.export-guard",
        4 * DAY + 5 * HOUR,
        repo="acme/gateway",
        parent="team",
    ),
    Entry("broken", "Backfill invoice numbers", "odd:broken_pairs", 5 * DAY, repo="acme/invoices"),
    Entry(
        "csv-bom",
        "First column lost in Excel files",
        "fixes:FIXES.csv-bom",
        5 * DAY + 3 * HOUR,
        repo="acme/importer",
        pr=(77,),
    ),
    Entry(
        "handbook",
        "Summarise the on-call handbook",
        "odd:local_model",
        6 * DAY,
        repo="acme/handbook",
        model=LOCAL,
    ),
    Entry(
        "n-plus-1",
        "Too many queries on /orders",
        "fixes:FIXES.n-plus-1",
        6 * DAY + 8 * HOUR,
        repo="acme/shop",
        pr=(451,),
    ),
    Entry(
        "go-leak",
        "Goroutine leak in the relay",
        "fixes:FIXES.go-leak",
        8 * DAY,
        repo="acme/relay",
        trigger="slack",
    ),
    Entry(
        "dst",
        "Weekly events move in spring",
        "fixes:FIXES.dst",
        9 * DAY,
        repo="acme/calendar",
        trigger="jira",
    ),
    Entry(
        "readme-links",
        "Check the links in README",
        "fixes:FIXES.readme-links",
        10 * DAY,
        repo="acme/handbook",
        model=HAIKU,
    ),
    Entry(
        "unicode-slug",
        "Slugs of Greek titles",
        "fixes:FIXES.unicode-slug",
        12 * DAY,
        repo="acme/blog",
    ),
    Entry(
        "timeout",
        "Client hangs on silent servers",
        "fixes:FIXES.timeout",
        13 * DAY,
        repo="acme/client",
        trigger="resolver",
    ),
    # titles and texts that are hard on a terminal
    Entry(
        "hostile", "[/b] and [red]markup[/red] in a title", "odd:hostile", 14 * DAY, repo="[red]/x"
    ),
    Entry("escapes", "escape \x1b[31mred\x1b[0m \x1b]0;title\x07 bell", "odd:tiny", 15 * DAY),
    Entry("rtl", "תאריכים \u202eright to left\u202c שבועיים", "odd:tiny", 16 * DAY),
    Entry("emoji", "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 日本語のタイトル", "odd:tiny", 17 * DAY),
    Entry("long-title", _LONG + "\nthen a second line", "odd:tiny", 18 * DAY),
    Entry("untitled", None, "odd:nothing", 20 * DAY, trigger=None, branch=None),
)
