"""`oh-tui tasks`: the issues and pull requests that the server suggests to work on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.commands.framework.command import Call, command
from oh_tui.commands.framework.json_documents import line
from oh_tui.commands.framework.printing import print_json, print_table, say
from oh_tui.sources.actions.start_offers import grouped, kind_of, named
from oh_tui.tables.column import Column
from oh_tui.text.human import plural
from oh_tui.text.redact import safe_line

if TYPE_CHECKING:
    from oh_tui.api.offered_models import SuggestedTask


@command(
    "tasks",
    examples={"tasks": "by repository; oh-tui start --task starts an agent on one"},
    wants="server",
)
async def tasks(call: Call) -> int:
    page = await call.agents.offers.tasks()
    found = grouped(page.items)
    if call.as_json:
        print_json(
            {
                "source": call.source.label,
                "complete": page.next_page_id is None and not page.unreadable,
                "tasks": [_json(one) for one in found],
            }
        )
        return 0
    rows = ((named(one), kind_of(one), safe_line(one.title)) for one in found)
    print_table(call.style, (Column("task"), Column("what"), Column("title", share=1)), rows)
    if page.unreadable:
        say(f"{plural(page.unreadable, 'task')} of the server cannot be read")
    elif not found:
        say("the server suggests no task: no pull request of yours waits, no issue is yours")
    if page.next_page_id:
        say(f"the server has more than these {len(found):,}")
    return 0


def _json(task: SuggestedTask) -> dict[str, object]:
    return {
        "task": named(task),
        "repository": safe_line(task.repo),
        "number": task.issue_number,
        "type": line(task.task_type),
        "title": safe_line(task.title),
        "provider": line(task.git_provider),
    }
