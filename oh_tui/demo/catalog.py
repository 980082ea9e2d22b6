"""The catalog of the demo: its conversations and sandboxes, and what the lists say of them."""

from __future__ import annotations

from dataclasses import dataclass

from oh_tui.demo.long_runs import LONG_RUNS
from oh_tui.demo.meter import GEMINI, HAIKU, LOCAL, SONNET, Model
from oh_tui.demo.player import perform
from oh_tui.demo.recorder import fixed_uuid
from oh_tui.demo.run import Run

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Entry:
    """One conversation."""

    slug: str
    title: str | None
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
    scenario: str = ""
    """What happens in it, if not the scenario named as its slug."""

    @property
    def id(self) -> str:
        """As the app server writes it: 32 hex digits."""
        return fixed_uuid("conversation", self.slug).hex

    @property
    def sandbox_id(self) -> str:
        return sandbox_id(self.sandbox or f"gone {self.parent or self.slug}")

    def write(self, run: Run) -> None:
        """Write its events."""
        if self.slug in LONG_RUNS:
            LONG_RUNS[self.slug](run)
        else:
            perform(run, self.scenario or self.slug)


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
        42,
        "storefront-ci",
        "acme/storefront",
        live=True,
    ),
    Entry(
        "dark-mode",
        "Docs: dark mode",
        5,
        "docs",
        "acme/docs",
        live=True,
        delay=STARTING_TAKES + 8,
    ),
    Entry("pydantic", "Migrate to pydantic 2", 728, "api", "acme/api", live=True),
    Entry(
        "pydantic-notes",
        "Pydantic notes",
        9 * MINUTE,
        "api",
        "acme/api",
        model=HAIKU,
    ),
    # waiting for somebody
    Entry(
        "oauth",
        "Add OAuth login",
        9 * MINUTE + 268,
        "portal",
        "acme/portal",
        "auth",
    ),
    Entry(
        "week-dates",
        "Parse ISO week dates",
        4 * MINUTE + 8_200,
        "dates",
        "acme/dates",
    ),
    Entry(
        "dep-bump",
        "Nightly dependency bump",
        2 * HOUR + 4,
        "storefront-nightly",
        "acme/storefront",
        trigger="automation",
    ),
    # over, but their sandbox is up
    Entry(
        "settings-split",
        "Split the settings module",
        28 * MINUTE,
        "intranet",
        "acme/intranet",
    ),
    Entry("docker-followup", "Docker follow-ups", 40 * MINUTE, "shop", "acme/shop"),
    Entry(
        "docker-cache",
        "Cache the docker layers",
        69 * MINUTE,
        "shop",
        "acme/shop",
        pr=(482,),
    ),
    Entry(
        "ledger",
        "Rename Store to Ledger",
        3 * HOUR + 3 * MINUTE,
        "books",
        "acme/books",
        pr=(479,),
    ),
    # their sandbox failed or is paused
    Entry(
        "crashed",
        "Segfault on huge images",
        5 * HOUR,
        "png-tools",
        "acme/png-tools",
    ),
    Entry(
        "max-iterations",
        "Get the Windows build green",
        7 * HOUR,
        "logkeep",
        "acme/logkeep",
        "windows-ci",
    ),
    Entry(
        "coverage",
        "Raise the coverage of billing",
        22 * HOUR,
        "billing",
        "acme/billing",
        model=HAIKU,
    ),
    Entry(
        "fuzzing",
        "Fuzz the parser over night",
        33 * HOUR,
        "parser",
        "acme/parser",
        model=LOCAL,
        trigger="openhands_api",
    ),
    Entry("click", "Port the CLI to click", 2 * DAY, "shelf", "acme/shelf"),
    Entry(
        "click-notes",
        "Migration notes",
        2 * DAY - 5 * MINUTE,
        "shelf",
        "acme/shelf",
        parent="click",
    ),
    # their sandbox is gone
    Entry(
        "fix-add",
        "Fix the add function",
        1 * DAY + 2 * HOUR,
        repo="acme/sums",
    ),
    Entry(
        "eslint",
        "Bump eslint to 10",
        1 * DAY + 5 * HOUR,
        repo="acme/storefront",
        pr=(468,),
    ),
    Entry("retry", "Explain the retry policy", 1 * DAY + 7 * HOUR, repo="acme/client"),
    Entry(
        "signup",
        "Why is the signup page slow?",
        2 * DAY + 3 * HOUR,
        repo="acme/web",
    ),
    Entry(
        "storage-plan",
        "Plan the move to object storage",
        3 * DAY,
        repo="acme/media",
    ),
    Entry(
        "gemini",
        "Ship units as an ES module",
        3 * DAY + 4 * HOUR,
        repo="acme/units",
        model=GEMINI,
    ),
    Entry(
        "acp",
        "Date picker: keyboard trap",
        4 * DAY,
        repo="acme/widgets",
        agent_kind="acp",
    ),
    Entry("team", "Audit the public endpoints", 4 * DAY + 6 * HOUR, repo="acme/gateway"),
    Entry(
        "export-guard",
        "Guard /v1/export.csv",
        4 * DAY + 5 * HOUR,
        repo="acme/gateway",
        parent="team",
    ),
    Entry("broken", "Backfill invoice numbers", 5 * DAY, repo="acme/invoices"),
    Entry(
        "csv-bom",
        "First column lost in Excel files",
        5 * DAY + 3 * HOUR,
        repo="acme/importer",
        pr=(77,),
    ),
    Entry(
        "handbook",
        "Summarise the on-call handbook",
        6 * DAY,
        repo="acme/handbook",
        model=LOCAL,
    ),
    Entry(
        "n-plus-1",
        "Too many queries on /orders",
        6 * DAY + 8 * HOUR,
        repo="acme/shop",
        pr=(451,),
    ),
    Entry(
        "go-leak",
        "Goroutine leak in the relay",
        8 * DAY,
        repo="acme/relay",
        trigger="slack",
    ),
    Entry(
        "dst",
        "Weekly events move in spring",
        9 * DAY,
        repo="acme/calendar",
        trigger="jira",
    ),
    Entry(
        "readme-links",
        "Check the links in README",
        10 * DAY,
        repo="acme/handbook",
        model=HAIKU,
    ),
    Entry(
        "unicode-slug",
        "Slugs of Greek titles",
        12 * DAY,
        repo="acme/blog",
    ),
    Entry(
        "timeout",
        "Client hangs on silent servers",
        13 * DAY,
        repo="acme/client",
        trigger="resolver",
    ),
    # titles and texts that are hard on a terminal
    Entry("hostile", "[/b] and [red]markup[/red] in a title", 14 * DAY, repo="[red]/x"),
    Entry("escapes", "escape \x1b[31mred\x1b[0m \x1b]0;title\x07 bell", 15 * DAY, scenario="hello"),
    Entry("rtl", "תאריכים \u202eright to left\u202c שבועיים", 16 * DAY, scenario="hello"),
    Entry("emoji", "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 日本語のタイトル", 17 * DAY, scenario="hello"),
    Entry("long-title", _LONG + "\nthen a second line", 18 * DAY, scenario="hello"),
    Entry("untitled", None, 20 * DAY, trigger=None, branch=None),
)
