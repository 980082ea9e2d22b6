"""`oh-tui tasks`: the issues and pull requests that the server suggests to work on."""

from __future__ import annotations

from oh_tui.actions.start_offers import grouped, kind_of, named
from oh_tui.api.offered_models import SuggestedTask
from oh_tui.commands.framework.command import Call, command
from oh_tui.commands.framework.printing import print_json, print_rows
from oh_tui.documents.run import line
from oh_tui.tables.column import Column, json_of
from oh_tui.text.human import plural
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import say


@command(
    "tasks",
    examples={"tasks": "by repository; oh-tui start --task starts an agent on one"},
    wants="server",
    of_one_server=True,
)
async def tasks(call: Call) -> int:
    page = await call.agents.offers.tasks()
    found = grouped(page.items)
    if call.as_json:
        print_json(
            {
                "source": call.source.label,
                "complete": page.next_page_id is None and not page.unreadable,
                "tasks": [json_of(_COLUMNS, one) for one in found],
            }
        )
        return 0
    print_rows(call.style, _COLUMNS, found)
    if page.unreadable:
        say(f"{plural(page.unreadable, 'task')} of the server cannot be read")
    elif not found:
        say("the server suggests no task: no pull request of yours waits, no issue is yours")
    if page.next_page_id:
        say(f"the server has more than these {len(found):,}")
    return 0


_COLUMNS: tuple[Column[SuggestedTask, object], ...] = (
    Column("task", json="task", get=named),
    Column(json="repository", get=lambda one: safe_line(one.repo)),
    Column(json="number", get=lambda one: one.issue_number),
    Column("what", lambda one, _: kind_of(one), "type", lambda one: line(one.task_type)),
    Column("title", json="title", get=lambda one: safe_line(one.title), share=1),
    Column(json="provider", get=lambda one: line(one.git_provider)),
)
