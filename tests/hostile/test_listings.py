"""Listings without end: in one page, in many, of many rows or of many bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from oh_tui.api import decode, paging
from oh_tui.api.http.http_errors import Answer, ApiCall
from oh_tui.api.models import Sandbox
from oh_tui.api.paging import MAX_ROWS
from tests.api.servers import Script, over
from tests.hostile.bounds import used_by
from tests.hostile.server import serving
from tests.processes import oh_tui
from tests.tui.explorer import Between, explore

ROWS = 30_000
"""Rows of each page of the listings without end."""


def row(number: int) -> str:
    return f'{{"id":"{number:032x}"}}'


class WithoutEnd:
    """Gives pages of new rows for ever."""

    def __init__(self, rows: int = ROWS, text: str = "") -> None:
        self._rows, self._more = rows, f',"title":"{text}"' if text else ""
        self.asked = 0

    def __call__(self, request: Request) -> Response:
        first = self.asked * self._rows
        self.asked += 1
        rows = ",".join(
            f'{{"id":"{n:032x}"{self._more}}}' for n in range(first, first + self._rows)
        )
        body = f'{{"items":[{rows}],"next_page_id":"{self.asked}"}}'
        return Response(body, media_type="application/json")


async def test_one_page_or_many_100_000_rows_are_taken_and_that_there_are_more_is_known() -> None:
    rows = ",".join(map(row, range(300_000)))
    one = Response(f'{{"items":[{rows}],"next_page_id":null}}', media_type="application/json")
    for answer in (one, WithoutEnd()):
        async with over(Script(answer)) as server:
            for listing in (server.sandboxes.all().pages(), server.conversations().pages()):
                pages = [page async for page in listing]
                assert sum(len(page.items) for page in pages) == MAX_ROWS
                assert [page.is_cut for page in pages] == [*[False] * (len(pages) - 1), True]


async def test_a_listing_of_so_many_rows_and_no_more_is_whole() -> None:
    rows = ",".join(map(row, range(MAX_ROWS)))
    whole = Response(f'{{"items":[{rows}],"next_page_id":null}}', media_type="application/json")
    async with over(Script(whole)) as server:
        (page,) = [page async for page in server.sandboxes.all().pages()]
    assert (len(page.items), page.is_cut) == (MAX_ROWS, False)


async def test_few_rows_of_many_bytes_end_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_BYTES", 1 << 20)
    answer = WithoutEnd(10, "x" * 10_000)
    async with over(Script(answer)) as server:
        pages = [page async for page in server.conversations().pages()]
    assert pages[-1].is_cut
    assert answer.asked <= 12


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("row", ["{},", "1,", '{"id":"a"},', "[[]],", '"a" ,\n\n'])
def test_a_page_of_nothing_but_rows_takes_no_more_memory_than_its_bytes(
    row: str, tmp_path: Path
) -> None:
    used = used_by(
        f"""
        from oh_tui.api import decode
        from oh_tui.api.http.http_errors import Answer, ApiCall
        from oh_tui.api.models import Sandbox
        call = ApiCall("list", "GET", "http://x", "x")
        rows = ({row!r} * (20_000_000 // {len(row)})).rstrip(", \\n")
        answer = Answer(call, b'{{"items":[' + rows.encode() + b"]}}", "application/json")
        del rows
        def act():
            page = decode.model_page(answer, Sandbox)
            return [len(page.items), page.unreadable, page.is_cut]
        """,
        tmp_path,
    )
    assert sum(used.told[:2]) == MAX_ROWS
    assert used.told[2]
    assert used.mib < 250
    assert used.seconds < 10


def test_an_answer_of_a_million_parts_that_is_no_page_is_refused(tmp_path: Path) -> None:
    used = used_by(
        """
        from oh_tui.api import decode
        from oh_tui.api.http.http_errors import Answer, ApiCall
        from oh_tui.api.models import Sandbox
        call = ApiCall("list", "GET", "http://x", "x")
        answer = Answer(call, b"[" + b"{}," * 20_000_000 + b"NaN]", "application/json")
        def act():
            return decode.model_page(answer, Sandbox)
        """,
        tmp_path,
    )
    assert used.told == "BadAnswer: Could not list: the answer of x is JSON of too many parts"
    assert used.mib < 250


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("of", ["events", "sandboxes"])
@pytest.mark.parametrize("row", ['{"id":"a","x":[PARTS]}', '{"id":1,"kind":"X","x":{"y":[PARTS]}}'])
def test_a_single_row_of_many_million_parts_is_refused(row: str, of: str, tmp_path: Path) -> None:
    used = used_by(
        f"""
        from oh_tui.api import decode
        from oh_tui.api.http.http_errors import Answer, ApiCall
        from oh_tui.api.models import Sandbox
        call = ApiCall("list", "GET", "http://x", "x")
        row = {row!r}.encode().replace(b"PARTS", b"{{}}," * 20_000_000 + b"{{}}")
        answer = Answer(call, b'{{"items":[' + row + b"]}}", "application/json")
        del row
        def act():
            if {of!r} == "events":
                return len(decode.event_page(answer).items)
            return len(decode.model_page(answer, Sandbox).items)
        """,
        tmp_path,
    )
    assert used.told == "BadAnswer: Could not list: the answer of x is JSON of too many parts"
    assert used.mib < 500


def test_rows_of_any_length_are_found_on_a_page_of_many_parts() -> None:
    long = "[" + "1," * 300_000 + "1]"
    rows = [f'{{"id":"{n}","x":{long if n % 2 else "[]"}}}' for n in range(8)]
    rows += ["12345678", '"' + "y" * decode.PIECE + '"']
    call = ApiCall("list", "GET", "http://x", "x")
    page = decode.model_page(Answer(call, f'{{"items":[{",".join(rows)}]}}'.encode()), Sandbox)
    assert [box.id for box in page.items] == [str(n) for n in range(8)]
    assert page.unreadable == 2


@pytest.mark.slow
def test_the_commands_say_that_there_is_more() -> None:
    with serving(Script(WithoutEnd())) as url:
        told = oh_tui("sandboxes", "--server", url)
        assert told.returncode == 0
        assert len(told.stdout.splitlines()) == MAX_ROWS
        assert "only the first 100,000 sandboxes are listed: the server has more" in told.stderr


async def test_the_explorer_says_that_there_is_more() -> None:
    between = Between()
    rows = ",".join(map(row, range(MAX_ROWS + 1)))
    between.answer("GET /api/v1/sandboxes/search", 200, f'{{"items":[{rows}]}}', "application/json")
    async with explore(wrap=between) as explorer:
        await explorer.settle()
        told = "only the first 100,000 sandboxes are listed: the server has more"
        assert told in explorer.footer
