"""`oh-tui context`: what stood in the model's context when it gave an answer."""

from __future__ import annotations

from collections.abc import Iterator

from oh_tui.batch.reports.one_run import whole
from oh_tui.commands.framework.command import OF_RUN, Call, argument, command, flag
from oh_tui.commands.framework.opening import begin_table, open_run, say_damage
from oh_tui.commands.framework.printing import Hue, Row, print_json, print_table
from oh_tui.documents.context import report, seen_at
from oh_tui.tables.column import Cell, Column, Columns
from oh_tui.text.human import compact, percent, plural, steps_words
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import say
from oh_tui.trajectory.context.context import Context, Difference
from oh_tui.trajectory.context.message import MODEL, RESULT, SUMMARY, SYSTEM, USER, Message
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.presentation.sent_messages import message_line

COLUMNS: Columns = (
    Column(""),
    Column("message"),
    Column("chars", right=True),
    Column("text", share=1),
    Column("step", right=True),
)

_HUES: dict[str, Hue] = {
    SYSTEM: "dim",
    USER: "blue",
    MODEL: "violet",
    RESULT: "",
    SUMMARY: "amber",
}


@command(
    "context",
    *OF_RUN,
    argument("--diff", metavar="M", default="", help="what came and went since that of step M"),
    flag("--raw", about="with --json: texts as they were, secrets too"),
    flag("--yes", about="print --raw to a terminal"),
    examples={
        "context run.zip": "the last one",
        "context 5f3a --at 58": "what the model saw when it made step 58",
        "context 5f3a --at 58 --diff 46": "what it saw then and not at step 46, and what it forgot",
        "context 5f3a --at 12.3 --json": "of a sub-agent's step, as the messages that were sent",
    },
    epilog="Signs: + came since the answer before, or since step M; - went, with the step that\n"
    "forgot it. A summary has a sign of its own and names the steps that it stands for.\n"
    "Sizes are characters: nothing tells the tokens of one message. Without --at it is the\n"
    "context of the last answer. Notes name what the events do not tell.\n"
    "Exit code 2 for a step that no answer of the model made; the hint names the nearest one.",
    takes_step=True,
)
async def context(call: Call) -> int:
    args = call.args
    _check_raw(call)
    below = any("." in one for one in (args.at, args.diff))
    conversation, loaded = await open_run(call, sub_agents=below)
    run = Study(whole(loaded))
    study, seen, other, differs = await seen_at(call.source, conversation, run, args.at, args.diff)
    if call.as_json:
        say_damage(loaded)
        print_json(report(study, seen, other, differs), raw=args.raw)
        return 0
    remark = begin_table(call, conversation)
    remark(_head(study, seen))
    for note in filter(None, (loaded.note, *(gap.about for gap in seen.gaps))):
        remark(f"note: {note}")
    print_table(call.style, COLUMNS, _rows(call, study, seen, differs))
    return 0


def _check_raw(call: Call) -> None:
    if not call.args.raw:
        return
    if not call.as_json:
        raise Problem("--raw is for JSON: a table is always clean", "add --json")
    if not call.style.piped and not call.args.yes:
        hint = "write it to a file, or --yes prints it all the same"
        raise Problem("Raw texts may hold secrets, which a terminal shows to all", hint)
    say("raw: secrets that the run has are not hidden, but for the keys of this machine")


# for people


def _head(study: Study, seen: Context) -> str:
    """The step, the tokens of its answer, how full the context was, and whose rules were taken."""
    answer = seen.answer
    usage, window = answer.usage, compact(answer.window).replace(".0", "")
    parts = ["tokens not known"]
    if usage and usage.prompt:
        full = f" ({percent(answer.fill)})" if answer.fill is not None else ""
        of = (
            f" of {window} tokens{full}"
            if answer.window
            else " tokens, of what window is not known"
        )
        parts = [f"{compact(usage.prompt)}{of}"]
        if usage.cache_read:
            parts.append(f"{compact(usage.cache_read)} cached")
    parts += [plural(len(seen.messages), "message"), f"rules of {seen.rules.name}"]
    return f"step {study.path}{answer.step}: {', '.join(parts)}"


def _rows(call: Call, study: Study, seen: Context, differs: Difference | None) -> Iterator[Row]:
    came = set(differs.came) if differs else None
    for part in (part for message in seen.messages for part in message.parts):
        is_new = part.is_new if came is None else part in came
        yield _row(call, study, part, "+" if is_new else "")
        if part.kind == SYSTEM and seen.tools:
            yield "", Cell("tools", "dim"), "", Cell(safe_line(", ".join(seen.tools)), "dim"), ""
    for part in differs.went if differs else ():
        yield _row(call, study, part, "-")


def _row(call: Call, study: Study, message: Message, sign: str) -> Row:
    kind, replaced, is_gone = message.kind, steps_words(message.replaces), sign == "-"
    place = f"in place of {replaced}" if replaced else ""
    by = f"forgotten at {study.path}{message.forgotten_by}" if message.forgotten_by else ""
    text = "  ".join(filter(None, (place, message_line(message, study.trajectory), by)))
    return (
        sign + (call.style.glyph("≈", "~") if place else ""),
        Cell(kind, "dim" if is_gone else _HUES[kind]),
        f"{message.chars:,}",
        Cell(text, "dim" if is_gone else ""),
        ", ".join(f"{study.path}{number}" for number in message.steps),
    )
