"""The automation server beside an app server or agent server: what it runs by itself, and its runs.

Facts without another source are measured on openhands-automation 1.13.1 and 1.26.0.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from oh_tui.api import decode
from oh_tui.api.addresses import segment
from oh_tui.api.automation_models import Automation as Automation
from oh_tui.api.automation_models import AutomationRun as AutomationRun
from oh_tui.api.automation_models import RunPage as RunPage
from oh_tui.api.errors import Conflict, InvalidRequest, NotFound
from oh_tui.api.filters import page_params
from oh_tui.api.http.http_errors import short_id
from oh_tui.api.http.transport import HttpClient
from oh_tui.api.models import Page
from oh_tui.api.paging import MAX_ROWS, Listing

PREFIX = "/api/automation/v1"


class AutomationServer:
    """`AppServer.automations` and `BareAgentServer.automations`. All methods raise NotFound or
    NotTheApi where there is no automation server, and ServerError 502 or 503 while it starts."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def search(self, *, page_id: str | None = None, limit: int = 100) -> Page[Automation]:
        """A page of 1 to 100 automations, the last made first. `page_id` is an offset."""
        return await self._page("", "automations", "list automations", Automation, page_id, limit)

    def all(self) -> Listing[Automation]:
        """All automations. After 100,000 the last page `is_cut`."""
        return Listing(lambda cursor: self.search(page_id=cursor), limit=MAX_ROWS)

    async def get(self, automation_id: str) -> Automation:
        """Raises NotFound for an unknown one, InvalidRequest for an id that is no UUID."""
        doing = f"read the automation {short_id(automation_id)}"
        answer = await self._http.get(f"{PREFIX}/{segment(automation_id)}", doing)
        return decode.record_of(answer, Automation, automation_id)

    async def runs(self, automation_id: str, *, limit: int = 20) -> RunPage:
        """The newest 1 to 100 runs, and how many there are."""
        path, doing = _runs_of(automation_id)
        answer = await self._http.get(PREFIX + path, doing, page_params(None, limit))
        rows = partial(decode.model_rows, name="runs", kind=AutomationRun)
        runs, _ = await decode.in_thread(rows, answer)
        counts, known = decode.field(answer, "status_counts"), None
        if isinstance(counts, dict):
            numbers = {name: _count(told) for name, told in counts.items()}
            known = {name: number for name, number in numbers.items() if number is not None}
        return RunPage(tuple(runs), _count(decode.field(answer, "total")), known)

    def all_runs(self, automation_id: str) -> Listing[AutomationRun]:
        """All runs, the newest first. After 100,000 the last page `is_cut`."""
        path, doing = _runs_of(automation_id)
        return Listing(
            lambda cursor: self._page(path, "runs", doing, AutomationRun, cursor, 100),
            limit=MAX_ROWS,
        )

    async def dispatch(self, automation_id: str) -> AutomationRun:
        """Begin a run, which starts within 10 s; it costs money. Never sent twice. One that is off
        runs on 1.26.0; on 1.13.1 it raises Conflict."""
        answer = await self._http.post(
            f"{PREFIX}/{segment(automation_id)}/dispatch",
            f"run the automation {short_id(automation_id)}",
            once=True,
            hints={Conflict: "Switch it on first: before 1.26 one that is off cannot be run"},
        )
        return decode.model(answer, AutomationRun)

    async def cancel(self, run_id: str) -> AutomationRun:
        """End a pending or running run. On an agent server neither its command nor its agent ends
        by it. Raises Conflict for a run that is over, NotFound for an unknown one."""
        answer = await self._http.post(
            f"{PREFIX}/runs/{segment(run_id)}/cancel",
            f"cancel the run {short_id(run_id)}",
            hints={Conflict: "It is over: look at it again", NotFound: "It may be deleted"},
        )
        return decode.record_of(answer, AutomationRun, run_id)

    async def set_enabled(self, automation: Automation, enabled: bool) -> Automation:
        """Switch its trigger on or off; runs that are on their way go on."""
        state = "ACTIVE" if enabled else "INACTIVE"
        answer = await self._http.post(
            f"{PREFIX}/{segment(automation.id)}",
            f"switch the automation {'on' if enabled else 'off'}",
            json={"enabled": enabled} if automation.state is None else {"state": state},
            method="PATCH",
            repeatable=True,
            hints={InvalidRequest: "Its version may differ from what this program knows"},
        )
        return decode.record_of(answer, Automation, automation.id)

    async def _page(
        self, path: str, name: str, doing: str, kind: type[Any], cursor: str | None, limit: int
    ) -> Page[Any]:
        offset = _count(cursor) or 0
        params = (*page_params(None, limit), ("offset", offset or None))
        answer = await self._http.get(PREFIX + path, doing, params)
        read = partial(decode.model_rows, name=name, kind=kind)
        rows, unreadable = await decode.in_thread(read, answer)
        after, total = offset + len(rows) + unreadable, _count(decode.field(answer, "total")) or 0
        cursor = str(after) if offset < after < total else None
        return Page(rows, cursor, unreadable, size=len(answer.data))


def _runs_of(automation_id: str) -> tuple[str, str]:
    return f"/{segment(automation_id)}/runs", f"list the runs of {short_id(automation_id)}"


def _count(value: object) -> int | None:
    """A number of rows, or a cursor; None for anything else."""
    text = str(value) if isinstance(value, int | str) else ""
    return int(text) if text.isdecimal() and len(text) < 10 else None
