"""Attempts: one task started several times, each in a place of its own, and what became of each.

What they are is kept as tags of their conversations. Facts without another source are measured on
agent server 1.58.2.
"""

from __future__ import annotations

import asyncio
import base64
import posixpath
import secrets
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from oh_tui.actions import attempt_scripts as scripts
from oh_tui.actions import worktrees
from oh_tui.actions.agent_actions import Agents, present
from oh_tui.actions.attempt_rows import MOST, Attempt, Row, Verified, attempt_of
from oh_tui.actions.attempt_scripts import Change, last_line, leading_into, printed
from oh_tui.actions.conversation_records import Records
from oh_tui.actions.starting import stage_of
from oh_tui.actions.workspace import Workspaces
from oh_tui.api.bare_server import FOLDER, BareAgentServer
from oh_tui.api.models import CommandResult, StartTask
from oh_tui.api.requests import StartRequest
from oh_tui.catalog import tags
from oh_tui.conversation import Conversation
from oh_tui.settings.part_file import part_file_aside, publish_as, taken
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import safe_line

GIT_TAKES, COMMAND_TAKES = 120, 1800
"""Seconds that git, and a command of the user, may take."""

LEFT = "the conversations that were made wait without a task"


class Wanted(msgspec.Struct, frozen=True):
    request: StartRequest
    times: int
    """With each profile."""
    verify: str
    prepare: str = ""
    """A command that runs in the place of each before its agent begins."""
    profiles: tuple[str, ...] = ()

    @property
    def each(self) -> tuple[str | None, ...]:
        """The profile of each attempt."""
        return tuple(one for one in self.profiles or (None,) for _ in range(self.times))


class Plan(msgspec.Struct, frozen=True):
    wanted: Wanted
    ground: worktrees.Ground | None = None
    """None for sandboxes of their own."""
    top: str = ""
    """The folder itself, of which there will be worktrees."""
    stands: str = ""
    """How it stands."""

    @property
    def words(self) -> str:
        if self.ground is None:
            return "Each works in a sandbox of its own"
        return f"Each works in a worktree of its own. {self.ground.words('head')}"


class Attempts:
    def __init__(self, agents: Agents, records: Records, workspaces: Workspaces) -> None:
        self._agents, self._records, self._workspaces = agents, records, workspaces

    # starting

    async def plan(self, wanted: Wanted) -> Plan:
        """Raises Problem where each attempt cannot have a place of its own. Starts nothing."""
        request, count = wanted.request, len(wanted.each)
        if not 0 < count <= MOST:
            raise Problem(f"That makes {count:,} attempts", f"{MOST} are the most")
        if not request.message.strip():
            raise Problem("There is no task", "write it in your own words")
        if not 0 < len(wanted.verify) <= tags.LONGEST_VALUE or not wanted.verify.isprintable():
            what = f"The command that verifies has one line of 1 to {tags.LONGEST_VALUE} characters"
            raise Problem(what, "put a longer one into a script of the repository")
        api = self._agents.api
        if not isinstance(api, BareAgentServer):
            if not request.selected_repository:
                raise Problem(
                    "Git tells what attempts change, and there is no repository", "name one"
                )
            return Plan(wanted)
        folder = request.folder or FOLDER
        ground = await worktrees.look(api, folder)
        ground.require("head")
        top, head, real, home, stands = await self._stands(api, folder)
        if ground.commit is None or ground.commit.sha != head:
            raise Refused("The folder has another commit by now", Remedy.REFRESH)
        for what, text in (
            ("task", request.message),
            ("command that verifies", wanted.verify),
            ("command that prepares", wanted.prepare),
        ):
            if path := leading_into(text, {top, real, posixpath.normpath(folder)}, home):
                raise Problem(
                    f"The {what} names {safe_line(path, 80)}, which leads each attempt out of its "
                    "worktree into the folder itself",
                    "write paths relative to the repository",
                )
        return Plan(wanted, ground, top, stands)

    async def _stands(self, api: BareAgentServer, folder: str) -> list[str]:
        """Its repository, commit, real path, the home there, and how its files stand."""
        told = await api.sandbox.run_command(
            scripts.filled(scripts.GROUND), cwd=folder, timeout=GIT_TAKES
        )
        lines = printed(told).split("\n")
        if told.exit_code or len(lines) != 5:
            raise scripts.not_told(told)
        return lines

    async def start(self, plan: Plan) -> AsyncGenerator[str | Attempt, None]:
        """Makes the place of every attempt, then lets their agents begin. Yields what it does, in
        words, and each attempt whose agent has begun.

        Raises Refused before any agent begins where a place is not the attempt's own; the
        conversations made until then are left, with nothing to do.
        """
        wanted, group, api = plan.wanted, secrets.token_hex(4), self._agents.api
        made: list[Attempt] = []
        task = wanted.request.title or wanted.request.message.strip().split("\n")[0]
        request = replace(wanted.request, message="", worktree="head" if plan.ground else None)
        for number, profile in enumerate(wanted.each, 1):
            title = f"{safe_line(task, 80)} #{number}"
            async for step in self._agents.start(replace(request, title=title, profile=profile)):
                if isinstance(step, StartTask):
                    yield f"attempt {number}: {stage_of(step.status)}"
                    continue
                _require_own(step, plan, made)
                made.append(Attempt(step, group, number, wanted.verify))
                if wanted.prepare:
                    yield f"attempt {number}: preparing"
                made[-1] = await self._prepared(made[-1], plan)
        if isinstance(api, BareAgentServer) and plan.stands not in await self._stands(
            api, plan.top
        ):
            raise Refused(
                "The folder itself has changed while the attempts were made, so no agent began",
                "see what --prepare does there, or leave the folder alone meanwhile",
            )
        for one in made:
            await api.send_message(one.conversation.id, wanted.request.message)
            yield one

    async def _prepared(self, attempt: Attempt, plan: Plan) -> Attempt:
        """The attempt with its tags, after the command that prepares it."""
        base = printed(await self._run(attempt, "git rev-parse HEAD", GIT_TAKES))
        if plan.wanted.prepare:
            done = await self._run(attempt, plan.wanted.prepare, COMMAND_TAKES)
            if done.exit_code:
                why = last_line(done) or f"exit code {done.exit_code}"
                what = f"Attempt {attempt.number} could not be prepared, so no agent began: {why}"
                raise Refused(what, LEFT)
        kept = f"{base} {plan.stands} {plan.top}".strip()
        given = {
            tags.GROUP: attempt.group,
            tags.ATTEMPT: str(attempt.number),
            tags.VERIFY_BY: attempt.verify,
            tags.ATTEMPT_BASE: kept if len(kept) <= tags.LONGEST_VALUE else base,
        }
        held = await self._records.tag(attempt.conversation, given)
        return attempt_of(replace(attempt.conversation, tags=dict(held))) or attempt

    # what became of them

    async def rows(self, attempts: Sequence[Attempt]) -> list[Row]:
        """The table, in a few calls for each attempt. Changes nothing."""
        looks = await asyncio.gather(*map(self.look, attempts), return_exceptions=True)
        rows: list[Row] = []
        for one, told in zip(attempts, looks, strict=True):
            if isinstance(told, Change):
                same = (row for row in rows if row.change and row.change.is_like(told))
                number = next((row.attempt.number for row in same), None)
                rows.append(Row(one, told, same_as=number, verified=one.verified))
            elif isinstance(told, Problem):
                rows.append(Row(one, why=told.sentence, verified=one.verified))
            else:
                raise told
        return rows

    async def look(self, attempt: Attempt) -> Change:
        """What it has changed. Raises Problem where that cannot be told now."""
        if not attempt.base:
            raise Refused("Its start commit is not known", Remedy.LOOK_FIRST)
        failing, folder = "Git there did not tell", attempt.folder
        text = await self._git(attempt, failing, scripts.LOOK, folder=folder)
        try:
            return scripts.read_change(text)
        except (ValueError, StopIteration):
            raise Refused("Git there gave no answer that can be read", Remedy.LOOK_FIRST) from None

    async def verify(self, row: Row) -> Row:
        """Runs its command in a copy of its files, in which the tests are as in the start commit.
        Keeps the exit code in its tags. Raises Problem where it cannot be run."""
        attempt, change = row.attempt, row.known()
        await self._require_rest(attempt)
        if not attempt.verify:
            raise Refused("It has no command that verifies it", Remedy.LOOK_FIRST)
        failing, restore = "It could not be verified", change.restore or ":"
        text = await self._git(
            attempt, failing, scripts.VERIFY, COMMAND_TAKES,
            want=change.tree, restore=restore, command=attempt.verify,
        )  # fmt: skip
        code, _, output = text.partition("\n")
        if not code.isdecimal():
            raise Refused(f"{failing}: there is no exit code", Remedy.LOOK_FIRST)
        verified = Verified(int(code), change.tree, output)
        kept = {tags.ATTEMPT_VERIFIED: f"{code} {change.tree}"}
        await self._records.tag(attempt.conversation, kept)
        return replace(row, verified=verified)

    # what is done with one

    async def accept(self, row: Row, name: str, email: str) -> str:
        """Commits what is not committed to its branch, as this person, and returns the id of its
        newest commit. No hook runs. Refused, with the worktree as it was, if its files or its
        branch are not as they were shown."""
        one, change = row.attempt, row.known()
        await self._require_rest(one)
        told = await self._git(
            one, "Nothing was committed", scripts.ACCEPT,
            want=change.tree, branch=change.branch, at=change.head, name=name, email=email,
            message=f"{one.task}\n\nAttempt {one.number} of {one.group}",
        )  # fmt: skip
        return told.strip()

    async def patch(self, row: Row, path: Path) -> int:
        """Writes its change since the start commit into a new file, and returns its bytes. Refused
        while its agent works, or if its files are not as they were shown."""
        failing, want = "There is no patch", row.known().tree
        await self._require_rest(row.attempt)
        told = await self._git(row.attempt, failing, scripts.PATCH, want=want)
        size, _, text = told.partition("\n")
        try:
            data = base64.b64decode(text)
        except ValueError:
            data = b""
        if size.strip() != str(len(data)):
            raise Refused(f"{failing}: it did not come whole", Remedy.REFRESH)
        if not data:
            raise Refused("There is no patch: it has changed nothing", Remedy.LOOK_FIRST)
        async with part_file_aside(path) as (file, part):
            file.write(data)
            file.flush()
            try:
                publish_as(part, path)
            except FileExistsError:
                raise taken(path) from None
        return len(data)

    async def drop(self, attempt: Attempt) -> None:
        """Deletes its conversation, and with it its worktree and all that is not committed there:
        see `lost_words`."""
        await self._agents.api.delete_conversation(attempt.conversation.id)

    async def _require_rest(self, attempt: Attempt) -> None:
        now = await present(self._agents.api, attempt.conversation.id)
        if now.execution_status == "running":
            raise Refused(f"Attempt {attempt.number} is still at work", Remedy.WAIT)

    async def _git(
        self, attempt: Attempt, failing: str, script: str, limit: int = GIT_TAKES, **values: str
    ) -> str:
        """What a script prints of an attempt. Raises Refused, which begins with `failing`."""
        told = await self._run(attempt, scripts.filled(script, base=attempt.base, **values), limit)
        if told.exit_code:
            raise Refused(f"{failing}: {last_line(told) or 'git failed'}", Remedy.REFRESH)
        return told.stdout

    async def _run(self, attempt: Attempt, command: str, limit: int) -> CommandResult:
        workspace = await self._workspaces.open(attempt.conversation)
        folder = await workspace.folder()
        told = await workspace.run(command, cwd=folder, timeout=limit)
        if told.exit_code == -1:
            why = last_line(told) or "no answer"
            raise Refused(f"It did not begin, or end within {limit} s: {why}", Remedy.WAIT)
        return told


def _require_own(made: Conversation, plan: Plan, before: Sequence[Attempt]) -> None:
    """Raises Refused for a place that is not that of this attempt alone."""

    def place(one: Conversation) -> str:
        return (one.folder if plan.ground else one.sandbox_id) or "an unknown place"

    is_own = bool(made.worktree if plan.ground else made.sandbox_id)
    if is_own and place(made) not in [place(one.conversation) for one in before]:
        return
    where = f"Attempt {len(before) + 1} works in {safe_line(place(made), 120)}"
    raise Refused(f"{where}, which is not its own, so no agent began", LEFT)


async def identity() -> tuple[str, str]:
    """Name and address of the person, by git on this machine. Raises Problem without them."""
    words, pipe = ("config", "--get-regexp", r"^user\.(name|email)$"), asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec("git", *words, stdout=pipe, stderr=pipe)
        told = (await process.communicate())[0].decode("utf-8", "replace")
    except OSError:
        told = ""
    known = dict(line.split(" ", 1) for line in told.splitlines() if " " in line)
    if len(known) < 2:
        hint = "git config --global user.name and user.email tell it"
        raise Problem("Git here does not know who you are", hint)
    return known["user.name"], known["user.email"]
