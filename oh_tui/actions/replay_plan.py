"""A recorded run made ready to run again: its answers, what it lacks, and where its agent works, of
which the shell of an agent server can make a fresh clone."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from oh_tui.actions.agent_setup import MOST_NAMED, Act, named, too_old
from oh_tui.actions.replay_endpoint import Endpoint
from oh_tui.api.app_server import AppServer
from oh_tui.api.bare_server import BareAgentServer
from oh_tui.api.errors import NotFound
from oh_tui.api.sandbox_server import SandboxServer
from oh_tui.catalog.names import title
from oh_tui.conversation import Conversation
from oh_tui.text.human import dollars, plural
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.replay.check import Check, Needed
from oh_tui.trajectory.replay.folders import Folders
from oh_tui.trajectory.replay.record import records_of
from oh_tui.trajectory.replay.recorded_model import RecordedModel
from oh_tui.trajectory.replay.start import deeds_of, folder_of, start_request


class Then(NamedTuple):
    """A real model that goes on where the record is left."""

    after: int
    """How many answers of the run are given before."""
    profile: str
    """Of the server."""
    most: float | None
    """US dollars after which it is stopped; None for no end."""


class Plan(NamedTuple):
    study: Study
    found: Check
    model: RecordedModel
    place: str
    """Where the agent works now; "" where nothing tells it."""
    then: Then | None = None

    @property
    def name(self) -> str:
        """The model that a client names. Its last part keeps the sections of the prompt for its
        family; `openai/` chooses how the SDK asks (measured, 1.34.0 and 1.58.2)."""
        return f"openai/{self.found.model.rpartition('/')[2] or 'recorded'}"

    @property
    def missing(self) -> list[Needed]:
        """The files that the run needs at its start and that are not there, by their names now."""
        named = [one._replace(path=self.model.folders.now(one.path)) for one in self.found.needed]
        return [one for one in named if not Path(one.path).exists()]

    def stake(self, server: str) -> str:
        """What it does again, for the question before it."""
        runs = self.study, *self.study.sub_runs.all()
        count = sum(step.is_call for run in runs for step in run.trajectory.steps)
        far = len(self.found.reaching)
        told = f", {plural(far, 'call')} of them far" if far else ""
        place = safe_line(self.place)
        told = f"{plural(count, 'call')} again in {place}, on {safe_line(server)}{told}"
        if (then := self.then) is None:
            return f"This runs {told}"
        most = f", up to about {dollars(then.most)}" if then.most is not None else ""
        return (
            f"This runs up to {told}; after answer {then.after:,} {safe_line(then.profile)} goes "
            f"on, which costs money{most}"
        )

    def body(self, endpoint: Endpoint) -> Any:
        """The request that starts it."""
        run, key = self.study.trajectory, endpoint.token
        return start_request(run, self.name, endpoint.address, key, self.place)


def require_folder(place: str) -> None:
    """Raises Problem for what is no folder to work in; "" is what the record tells."""
    if place and not place.startswith("/"):
        raise Problem(f"{safe_line(place)} is no path from the root on")
    if place and not posixpath.normpath(place).strip("/"):
        raise Problem("The agent needs a folder of its own, and / is the whole machine")


def make_plan(
    study: Study,
    conversation: Conversation,
    found: Check,
    *,
    place: str = "",
    maps: Sequence[tuple[str, str]] = (),
    is_strict: bool = False,
    then: Then | None = None,
) -> Plan:
    """`place` is where its agent works, by default where it worked. Raises Problem for a run that
    cannot run again."""
    if not found.can:
        raise Problem(f"This run cannot run again: {found.lacks[0]}", "--check tells all of it")
    records = list(records_of(study, then and then.after))
    if then and then.after > found.answers:
        raise Problem(f"The run has {plural(found.answers, 'answer')}", "--until names one of them")
    if then and not ((last := deeds_of(records[0])[-1]).goes_on or last.said):
        raise Problem(f"Its agent is done after answer {then.after:,}", "--until an earlier one")
    folder = folder_of(study.trajectory)
    place = place.rstrip("/") or folder
    moved = [(folder, place)] if folder and place != folder else []
    folders = Folders([*moved, *maps])
    model = RecordedModel(
        records,
        folders=folders,
        places=(folder, folders.now(folder)),
        title=title(conversation),
        is_strict=is_strict,
    )
    return Plan(study, found, model, place, then)


def server_for(api: AppServer | BareAgentServer | None) -> BareAgentServer:
    """The server on which a run can run again. Raises Problem for another."""
    if not isinstance(api, BareAgentServer):
        raise Problem(
            "A run starts again on an agent server, and this is none",
            "--on SERVER names one; --serve is for any client",
        )
    if urlsplit(api.base_url).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise Problem(
            "That server is on another machine, and cannot reach a model on this one",
            "--serve serves the answers, for a client of this machine",
        )
    return api


async def require_profile(api: BareAgentServer, name: str) -> None:
    """Raises Problem where an agent cannot go on with the profile, with what lacks."""
    try:
        kept = (await api.llm_profiles()).profiles
    except NotFound:
        why = too_old(await api.version(), Act.PROFILES) or "This server keeps no profiles"
        raise Problem(f"{why[0].upper()}{why[1:]}", "leave --until and --then out") from None
    one = next((one for one in kept if one.name == name), None)
    if one is None or one.api_key_set is False:
        lacks = "is not on the server" if one is None else "has no key on the server"
        known = ", ".join(map(named, kept[:MOST_NAMED])) or "none"
        raise Problem(f"The profile {safe_line(name)} {lacks}", f"it keeps {known}")


LONGEST = 600
"""Seconds of a clone."""

_KNOWN = pattern(
    r"((?:https?|ssh|git|file)://[^/\s]{0,400}/\S{1,2000}|/\S{1,2000}"
    r"|[\w.-]{1,100}@[\w.-]{1,200}:\S{1,2000})@(\w[\w./-]{0,200})"
)


class Revision(NamedTuple):
    url: str
    name: str
    """Of a commit, a tag or a branch."""


def read_revision(word: str) -> Revision:
    """Of `URL@REV`. Raises Problem."""
    if found := _KNOWN.fullmatch(word):
        return Revision(*found.groups())
    raise Problem(
        f"{safe_line(word)} does not name a repository and a revision",
        "--git https://host/owner/repository@REV, or /folder@REV",
    )


async def clone(sandbox: SandboxServer, revision: Revision, place: str) -> None:
    """Raises Problem where the server cannot, as for a folder that has files."""
    for words in (
        ["clone", "--quiet", "--no-checkout", "--", revision.url, place],
        ["-C", place, "checkout", "--quiet", revision.name, "--"],
    ):
        # the server takes a line for its shell: each word is quoted
        line = shlex.join(["env", "GIT_TERMINAL_PROMPT=0", "git", *words])
        done = await sandbox.run_command(line, timeout=LONGEST)
        if done.exit_code:
            why = safe_line(done.stderr.strip().rpartition("\n")[2]) or f"exit {done.exit_code}"
            raise Problem(
                f"There is no workspace at {safe_line(revision.name)}: {why}",
                "make it yourself, and leave --git out",
            )
