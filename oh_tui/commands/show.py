"""`oh-tui show`: everything known of one conversation."""

from __future__ import annotations

from oh_tui.api.models import Sandbox
from oh_tui.batch.reports.one_run import chosen, with_state
from oh_tui.batch.reports.seen import Seen, as_read
from oh_tui.catalog.automations import made_words
from oh_tui.catalog.names import SHOWN, conversation_id, title
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.catalog.tags import of_people, tag_words
from oh_tui.catalog.usage_cache import with_spent
from oh_tui.commands.framework.command import RUN, Call, command
from oh_tui.commands.framework.printing import print_json, print_pairs
from oh_tui.commands.framework.status import outcome
from oh_tui.conversation import Conversation
from oh_tui.documents.run import conversation_json, line, sandbox_json, verdict_json
from oh_tui.sources.file_source import FileSource
from oh_tui.tables.column import Cell
from oh_tui.text.human import compact, plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import say
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import Verdict
from oh_tui.trajectory.model.branches import shown


@command(
    "show",
    RUN,
    examples={"show 5f3a": "state, repository, cost, sandbox", "show run.zip --json": "of a file"},
)
async def show(call: Call) -> int:
    """Each further call adds facts; one that fails is reported, and the rest is printed."""
    source, kept = call.source, call.annotations()
    conversation = with_state(source, await chosen(source, call.identifier))
    seen = Seen(call)
    seen.record(conversation)
    await seen.find_silent([conversation])
    last_known = seen.of(conversation)
    seen.save()
    conversation = with_spent(conversation, last_known.spent)
    events: int | None = None
    counted_by: str | None = None
    sandbox: Sandbox | None = None
    try:
        events, counted_by = await source.runs.count_events(conversation)
        if source.sandboxes and conversation.sandbox_id:
            sandbox = await source.sandboxes.get(conversation.sandbox_id)
    except Problem as problem:
        say(problem.sentence)
    ended: Verdict | None = None
    if isinstance(source, FileSource):  # a server tells the present state
        study = Study(shown(source.runs.read(conversation)))
        conversation, ended = (
            as_read(call, conversation, study),
            study.verdict,
        )
    # where a browser shows it; files, the demo and agent servers have no pages
    web = f"{source.web}/{conversation_id(conversation)}" if source.web else ""
    if call.as_json:
        print_json(
            {
                "conversation": conversation_json(conversation, kept.of(conversation), last_known),
                "sandbox": sandbox_json(sandbox) if sandbox else None,
                "ended": verdict_json(ended) if ended else None,
                "events": events,
                "counted_by": counted_by,
                "web": web or None,
            }
        )
        return 0
    count = f"{events:,}" if events is not None else ""
    if count and counted_by != "file":
        count += f", counted by the {counted_by}"
    if not call.style.piped:
        print(call.style.paint(title(conversation), "bold"))
    own = kept.of(conversation)
    known = {
        "ended": ended.cause if ended else "",
        "sandbox": " ".join(filter(None, (line(conversation.sandbox_id), _status(sandbox)))),
        "events": count,
        "web": web,
        "tags": " ".join(tag_words(own.tags | of_people(conversation.tags, own.tags))),
        "note": safe_line(own.note),
        "bookmarks": plural(len(own.bookmarks), "step") if own.bookmarks else "",
        "notes": plural(len(own.step_notes), "step") if own.step_notes else "",
    }
    print_pairs(call.style, _facts(call, conversation, known, last_known))
    return 0


def _facts(
    call: Call, one: Conversation, known: dict[str, str], last_known: LastKnown
) -> list[tuple[str, str | Cell]]:
    style, tokens = call.style, one.tokens
    return [
        ("id", conversation_id(one)),
        ("title", title(one) if style.piped else ""),
        ("state", Cell(*outcome(one, last_known))),
        ("ended", known["ended"]),
        ("sandbox", known["sandbox"]),
        ("repository", line(one.selected_repository) or ""),
        ("branch", line(one.selected_branch) or ""),
        ("worktree" if one.worktree else "folder", line(one.folder) or ""),
        ("pull request", ", ".join(map(str, one.pr_number or ()))),
        ("model", line(one.llm_model) or ""),
        ("cost", one.price.words or ("price unknown" if tokens else "")),
        ("tokens", compact(tokens) if tokens else ""),
        ("events", known["events"]),
        ("changed", style.when_ago(one.updated_at)),
        ("parent", safe_line(one.parent_conversation_id or "")),
        ("automation", made_words(one)),
        ("forked from", safe_line(one.origin)),
        ("sub-conversations", ", ".join(i[:SHOWN] for i in one.sub_conversation_ids or ())),
        ("web", known["web"]),
        ("tags", known["tags"]),
        ("note", known["note"]),
        ("bookmarks", known["bookmarks"]),
        ("notes on", known["notes"]),
    ]


def _status(sandbox: Sandbox | None) -> str:
    word = safe_line((sandbox and sandbox.status) or "").lower()
    return f"({'gone' if word == 'missing' else word})" if word else ""
