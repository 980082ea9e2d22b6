"""The table of all that asks in the explorer: questions in the bar, lines, editors and forms, with
what is at stake in their yes and how one gets there over the embedded demo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec.structs import replace

from oh_tui.demo.catalog import ENTRIES
from oh_tui.demo.world import AgentVersion
from oh_tui.tui.widgets.question_bar import Stake
from tests.tui.explorer import Explorer

IDS = {entry.title: entry.id for entry in ENTRIES}

OAUTH = "Add OAuth login"
FLAKY = "Flaky CI on main"
SPLIT = "Split the settings module"
LEDGER = "Rename Store to Ledger"
COVERAGE, CLICK = "Raise the coverage of billing", "Port the CLI to click"
WEEKS = "Parse ISO week dates"
BUMP = "Nightly dependency bump"
FUZZ = "Fuzz the parser over night"
GONE = "Fix the add function"
PYDANTIC = "Migrate to pydantic 2"
SLUGS = "Slugs of Greek titles"

Go = Callable[[Explorer], Awaitable[None]]


@dataclass(frozen=True)
class Asks:
    """`made_by` names the functions that make it. `title` is the conversation under the cursor,
    `keys` are what is pressed there; the last of them asks. `go` does what comes before."""

    made_by: str
    keys: tuple[str, ...] = ()
    title: str = WEEKS
    stake: Stake | None = None
    """None for a line, an editor or a form."""
    go: Go | None = None
    action: str = ""
    """The action of the palette that asks, where no key does."""
    acts: tuple[str, ...] = ()
    """What a line sends by the enter after it was seen, or the last key itself: calls, once
    each."""
    shown: bool = True
    """False for what needs another source than the demo."""


def list_row(it: Explorer, title: str) -> None:
    it.screen.focus_pane("conversations")
    it.screen.sidebar.highlight(IDS[title])


def marks(*titles: str) -> Go:
    async def mark(it: Explorer) -> None:
        for title in titles:
            list_row(it, title)
            await it.press("space")

    return mark


def budget(title: str) -> Go:
    async def give(it: Explorer) -> None:
        row = next(r for r in it.screen.session.loaded.rows if r.conversation.title == title)
        it.screen.session.annotations.set_budget(row.conversation, 0.01)

    return give


async def half_a_message(it: Explorer) -> None:
    await it.press("m")
    await it.until(lambda: it.screen.asking.editor)
    await it.seen()
    await it.type("go on")
    await it.until(lambda: it.screen.asking.editor and it.screen.asking.editor.text == "go on")


async def a_draft(it: Explorer) -> None:
    await half_a_message(it)
    await it.press("escape")


async def setup_shown(it: Explorer) -> None:
    it.screen.controllers.agent_setups.action_open()
    await it.until(lambda: it.screen.asking.question_bar.is_seen)


async def tag_typed(it: Explorer) -> None:
    await it.press("number_sign")
    await it.type("bug")


async def budget_typed(it: Explorer) -> None:
    it.screen.controllers.budgets.clock = lambda: 0.0  # nobody is late with the answer
    await it.press("dollar_sign", "ctrl+u")
    await it.type("0.01")


async def message_to_a_fork(it: Explorer) -> None:
    """Over a server whose forks have no key."""
    it.demo.world.agent_version = AgentVersion.NEW
    await it.press("F")
    await it.until(lambda: it.screen.asking.editor)
    await it.seen()
    await it.type("Go on")


async def path_there_typed(it: Explorer) -> None:
    """Where to put a file: at a path that is there."""
    await it.screen.run_action("workspaces.put")
    for path in (__file__, "/workspace/notes.txt"):
        asked = it.text("#asked-rule")
        await it.until(lambda: it.screen.asking.find_input.display)
        await it.seen()
        it.screen.asking.find_input.value = path
        if path == __file__:
            await it.press("enter")
            await it.until(lambda: it.text("#asked-rule") != asked)  # noqa: B023


def pull_requests(*numbers: int) -> Go:
    async def give(it: Explorer) -> None:
        loaded, current = it.screen.session.loaded, it.screen.session.current
        assert current
        at = {"git_provider": "github", "selected_repository": "acme/web"}
        loaded.take([replace(current, pr_number=numbers, **at)])

    return give


async def writing(it: Explorer) -> None:
    """Something is being written. `leave` takes it away."""
    it.screen.session.writes._under_way.append(("pausing a sandbox", ()))


N, W, F = Stake.NOTHING, Stake.WORK, Stake.FINAL

TABLE = {
    # Agents
    "answer": Asks("agents.action_answer", ("a",), OAUTH, F),
    "go where one waits": Asks("agents._goes_where_one_waits", ("a",), LEDGER, N),
    "reason": Asks("agents._reason", ("a", "n"), OAUTH),
    "stop": Asks("agents._stop_question", ("P",), FLAKY, W),
    "continue": Asks("agents._continue", ("P",), SPLIT, W),
    "continue a stuck agent": Asks("agents._continue", ("P",), WEEKS, W),
    "continue over the budget": Asks("agents._continue", ("P",), SPLIT, W, budget(SPLIT)),
    "continue with a rejected key": Asks("setup.goes_on", ("P",), BUMP, W),
    "budget": Asks("budgets.action_set", ("dollar_sign",), FLAKY),
    "over its budget": Asks("budgets._question", ("enter",), FLAKY, W, budget_typed),
    "message": Asks("compose._write", ("m",), LEDGER),
    "message to one that waits": Asks(
        "compose._ask_before_message", ("ctrl+s",), OAUTH, W, half_a_message
    ),
    "message to a sandbox that sleeps": Asks(
        "sandboxes.question", ("ctrl+s",), COVERAGE, W, half_a_message
    ),
    "fork": Asks("start._first_message", ("F",), WEEKS),
    "fork without a key": Asks(
        "start._brings_key",
        ("ctrl+s",),
        WEEKS,
        W,
        message_to_a_fork,
        acts=("POST *fork", "PATCH /runtime/*", "PATCH /api/*"),
    ),
    "ask": Asks("setup.action_ask", ("A",), FLAKY, acts=("POST *ask_agent",)),
    "agent setup": Asks("setup.action_open", title=WEEKS, stake=N, action="agent_setups.open"),
    "profile": Asks("setup._choose", ("p",), WEEKS, N, setup_shown),
    "when it asks": Asks("setup._set_policy", ("c",), WEEKS, W, setup_shown),
    "condense": Asks("setup._condense", ("k",), WEEKS, W, setup_shown),
    "start": Asks("start._open", ("ctrl+n",)),
    "server to start on": Asks("start._choose_server", shown=False, stake=N),
    "replay": Asks("replays._question", stake=F, shown=False),
    "folder of a replay": Asks("replays.action_run", shown=False),
    "stop a replay": Asks("replays._ask_stop", stake=W, shown=False),
    # Sandboxes
    "pause": Asks("sandboxes.question", ("p",), FLAKY, W),
    "pause where nothing works": Asks("sandboxes.question", ("p",), SPLIT, W),
    "resume": Asks("sandboxes.question", ("p",), COVERAGE, W),
    "resume for a shell": Asks("sandboxes.question", ("exclamation_mark",), COVERAGE, W),
    "pause all marked": Asks("sandboxes._marked_question", ("p",), SPLIT, W, marks(LEDGER, SPLIT)),
    "resume all marked": Asks(
        "sandboxes._marked_question", ("p",), CLICK, W, marks(COVERAGE, CLICK)
    ),
    # Automations
    "stop a run": Asks("automations._question", ("P",), stake=W, shown=False),
    "switch an automation on": Asks("automations.switch", ("p",), stake=W, shown=False),
    "run an automation": Asks(
        "automations.action_run", stake=W, action="automations.run", shown=False
    ),
    "accept an attempt": Asks("attempts.action_accept", ("a",), stake=W, shown=False),
    "drop an attempt": Asks("attempts.action_drop", stake=F, action="attempts.drop", shown=False),
    "shell": Asks("workspaces.action_shell", ("exclamation_mark",), FLAKY, acts=("POST *bash*",)),
    "get a file": Asks("workspaces.action_get", title=WEEKS, action="workspaces.get"),
    "put a file": Asks("workspaces.action_put", title=WEEKS, action="workspaces.put"),
    "replace a file": Asks("workspaces._send", ("enter",), WEEKS, F, path_there_typed),
    # What is kept
    "tag": Asks("annotate.action_tag", ("number_sign",)),
    "tag on the server": Asks("annotate._offer", ("enter",), WEEKS, N, tag_typed),
    "note": Asks("annotate.write_note", ("semicolon",)),
    "rename": Asks(
        "annotate.action_rename", title=WEEKS, action="titles.rename", acts=("PATCH *",)
    ),
    "download all marked": Asks(
        "downloads._download_marked", ("d",), SPLIT, N, marks(LEDGER, SPLIT)
    ),
    "share": Asks("reports.action_share", ("S",)),
    "rules of a repository": Asks("rules._agrees", ("C",), WEEKS, W),
    # Looking
    "read all": Asks("older._cost_question", ("L",), FUZZ, W),
    "sort": Asks("filter_and_sort._ask", ("s",), stake=N),
    "columns": Asks("navigation._choose_columns", ("vertical_line",), stake=N),
    "copy": Asks("clipboard._ask", ("y",), stake=N),
    "branches": Asks("sub_conversations._ask", title=SLUGS, stake=N, action="branches.choose"),
    "number of a branch": Asks("sub_conversations._ask_number", shown=False),
    "sub-agents": Asks("sub_conversations._choose", shown=False, stake=N),
    "filter": Asks("filter.ask_words", ("ampersand",)),
    "filter of steps": Asks("filter.ask_words", ("3", "ampersand")),
    "find": Asks("find.action_ask", ("slash",)),
    "go to": Asks("find._ask", ("3", "colon")),
    "pull requests": Asks("web_pages._choose", ("O",), WEEKS, N, pull_requests(7, 9)),
    "page": Asks("web_pages._show", ("O",), WEEKS, N, pull_requests(7)),
    # The program
    "quit": Asks("navigation._ask_and_quit", ("q",), LEDGER, W, a_draft),
    "another server": Asks(
        "servers._may_leave", title=WEEKS, stake=W, go=writing, action="servers.switch('local')"
    ),
    "no key": Asks("servers.open_without_key", shown=False, stake=N),
    "open": Asks("servers._open_typed", shown=False),
}


async def ask(it: Explorer, asks: Asks) -> None:
    """Everything but the key that asks."""
    it.screen.footer.clear()
    list_row(it, asks.title)
    await it.press("enter")
    await it.until(lambda: it.screen.timeline.row_count())
    await it.press("1")
    if asks.go:
        await asks.go(it)
        is_writing = it.screen.asking.is_asking or it.screen.asking.editor is not None
        if it.screen.session.pane == "conversations" and not is_writing:
            list_row(it, asks.title)
    for key in asks.keys[:-1]:
        await it.press(key)
        await it.seen()
