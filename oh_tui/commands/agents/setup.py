"""`oh-tui ask` and `agent`: a question to an agent, and what it works with."""

from __future__ import annotations

import argparse
import contextlib

from oh_tui.actions import agent_setup
from oh_tui.actions.agent_setup import POLICIES, SINCE, Act, AgentSetup, profile_hint
from oh_tui.commands.framework.acting import require_consent, require_writable, short, text_of
from oh_tui.commands.framework.command import RUNNING, Call, argument, command, flag
from oh_tui.commands.framework.opening import meant
from oh_tui.commands.framework.printing import print_json
from oh_tui.conversation import Conversation
from oh_tui.documents.run import line, named
from oh_tui.text.human import dollars, number, plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe, safe_line
from oh_tui.text.remarks import progress

LABEL = 10
"""Cells of a label."""

_SHORT = {Act.ASK: "ask", Act.CONDENSE: "condense", Act.CONFIRM: "confirm", Act.SWITCH: "profile"}


@command(
    "ask",
    RUNNING,
    argument("question", metavar="TEXT|-", help="the question; - reads it from stdin"),
    flag("--yes", about="do not ask, though it costs money"),
    examples={
        "ask 5f3a 'why did you delete the lock file?'": "asks first: it costs money",
        "ask 5f3a --yes --json - < question.md": "in a script",
    },
    wants="change",
    epilog="The agent answers from what its model sees of the run, also while it works: one\n"
    "call of its model. Neither question nor answer enters the run.",
)
async def ask(call: Call) -> int:
    question = agent_setup.checked(text_of(call.args.question))
    conversation, setup = await _read(call)
    *price, trace = setup.price
    require_consent(
        call, f"This is {', '.join(price)}; it {trace}", f"oh-tui ask {call.about} TEXT --yes"
    )
    call.goes_on = "the model may still answer there, which costs money"
    with progress() as show:
        show("the model answers")
        answer = await agent_setup.ask(call.agents, conversation.id, question)
    call.goes_on = ""
    if call.as_json:
        found = {"question": safe(question), "answer": safe(answer.text)}
        print_json({**named(conversation), **found, "cost": number(answer.cost)})
        return 0
    print(safe(answer.text).rstrip("\n"))
    if answer.cost and not call.style.piped:
        print(call.style.paint(f"cost {dollars(answer.cost)}", "dim"))
    return 0


def _policy(word: str) -> str:
    if word not in POLICIES:
        raise argparse.ArgumentTypeError(f"invalid choice: {word!r} ({', '.join(POLICIES)})")
    return word


@command(
    "agent",
    RUNNING,
    (
        argument("--profile", metavar="NAME", help="use the model of this profile from now on"),
        argument(
            "--confirm",
            metavar="WHEN",
            type=_policy,
            help="ask before calls: never, risky or always",
        ),
        flag("--condense", about="put a summary in the place of its older events"),
    ),
    flag("--yes", about="do not ask, though --condense costs money"),
    examples={
        "agent 5f3a": "its model, its profile, when it asks, and what its server can",
        "agent 5f3a --profile fast": "the cure where the key of a model was rejected",
        "agent 5f3a --confirm always": "it asks before each call",
        "agent 5f3a --condense --yes": "when its context is full of old things",
    },
    wants="server",
    settings=("read_only",),
    epilog="A profile is a model with its key, under a name, that the server keeps. Which\n"
    "servers can do what is told where one cannot. While the agent works, a change waits\n"
    "for the end of its step.",
)
async def agent(call: Call) -> int:
    args = call.args
    acts = args.profile is not None or args.confirm is not None or args.condense
    if acts:
        require_writable("agent", call.settings, by_flag=args.read_only)
    conversation, setup = await _read(call)
    done = ""
    if acts:
        call.goes_on = "it may still be done there, when the step of the agent ends"
        with progress() as show:
            show("waiting for the server")
            setup, done = await _changed(call, setup)
        call.goes_on = ""
    if call.as_json:
        print_json({**named(conversation), "done": done or None, **_setup_json(setup)})
        return 0
    if done:
        print(done)
    for label, words in setup.facts:
        print(f"{label:<{LABEL}} {words}")
    return 0


async def _changed(call: Call, setup: AgentSetup) -> tuple[AgentSetup, str]:
    args, agents = call.args, call.agents
    if args.profile is not None:
        setup = await agent_setup.switch_profile(agents, setup, args.profile)
        return setup, f"switched to {setup.profile}"
    if args.confirm is not None:
        setup = await agent_setup.set_policy(agents, setup, args.confirm)
        return setup, setup.asking
    stake = "This asks a model for a summary, which costs money, and the agent forgets the rest"
    require_consent(call, stake, f"oh-tui agent {call.about} --condense --yes")
    setup, gone = await agent_setup.condense(agents, setup)
    return setup, f"condensed: {plural(gone, 'event')} forgotten"


async def other_key(call: Call, conversation: Conversation) -> str:
    """What helps where a key was rejected, with the server's profiles if known; "" for a file."""
    if call.source.agents is None:
        return ""
    named = ""
    with contextlib.suppress(Problem):
        named = f": {profile_hint(await agent_setup.read(call.agents, conversation.id))}"
    return f"oh-tui agent {short(conversation)} --profile NAME switches to another key{named}"


async def _read(call: Call) -> tuple[Conversation, AgentSetup]:
    conversation = await meant(call)
    return conversation, await agent_setup.read(call.agents, conversation.id)


def _setup_json(setup: AgentSetup) -> dict[str, object]:
    profiles = setup.profiles.profiles if setup.profiles else None
    return {
        "model": line(setup.record.model),
        "profile": setup.profile or None,
        "profiles": None
        if profiles is None
        else [
            {"name": safe_line(one.name), "model": line(one.model), "has_key": one.api_key_set}
            for one in profiles
        ],
        "confirm": setup.policy or None,
        "condenser": setup.condenser or None,
        "server_version": setup.version or None,
        "cannot": {
            word: {"why": why, "since": SINCE[act]}
            for act, word in _SHORT.items()
            if (why := setup.cannot(act))
        },
    }
