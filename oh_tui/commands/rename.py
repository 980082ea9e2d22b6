"""`oh-tui rename`: gives a conversation another title, on its server."""

from __future__ import annotations

from oh_tui.catalog.names import conversation_id, title
from oh_tui.commands.framework.command import Call, argument, command
from oh_tui.commands.framework.opening import meant
from oh_tui.commands.framework.printing import print_json


@command(
    "rename",
    argument("word", metavar="ID", help="a conversation on a server"),
    argument("title", metavar="TITLE", help="its new title, at most 200 characters"),
    examples={"rename 5f3a 'Week dates, second try'": "for all who see the conversation"},
    wants="change",
    epilog="A file has no server: oh-tui note and oh-tui tag work on files.",
)
async def rename(call: Call) -> int:
    conversation = await meant(call)
    call.goes_on = f"it may still be renamed: oh-tui show {call.about} shows it"
    renamed = await call.records.rename(conversation, call.args.title)
    call.goes_on = ""
    if call.as_json:
        was = title(conversation)
        print_json({"id": conversation_id(renamed), "title": title(renamed), "was": was})
    else:
        print(f"renamed  {title(renamed)}")
    return 0
