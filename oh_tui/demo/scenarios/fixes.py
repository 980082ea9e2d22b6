"""Short finished runs of the last weeks: find the line, change it, run the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from oh_tui.demo.run import Run
from oh_tui.demo.tools import edit, shell, view


@dataclass(frozen=True)
class Fix:
    """A small change of one file, and how it was shown to work."""

    root: str
    asked: str
    path: str
    before: str
    old: str
    new: str
    why: str
    tests: str
    red: str
    green: str
    done: str
    search: str = ""
    found: str = ""

    def __call__(self, run: Run) -> None:
        run.root = f"/workspace/{self.root}"
        run.files = {self.path: self.before}
        run.user(self.asked)
        if self.search:
            run.do("", shell(run, self.search, self.found, ran=0.1), llm=run.vary(2.4, 4))
        run.do("", view(run, self.path), llm=run.vary(2.4, 3.4))
        if self.red:
            run.do(
                "",
                shell(run, self.tests, self.red, code=1, ran=run.vary(2, 9)),
                llm=run.vary(2.2, 3.2),
            )
        run.do(self.why, edit(run, self.path, self.old, self.new), llm=run.vary(5, 10))
        run.do("", shell(run, self.tests, self.green, ran=run.vary(2, 9)), llm=run.vary(2.2, 3))
        run.finish(self.done, llm=run.vary(3, 6))


FIXES: dict[str, Callable[[Run], None]] = {
    "fix-add": Fix(
        root="sums",
        asked="`add` is wrong for negative numbers. Fix it.",
        path="sums/core.py",
        before="def add(a, b):\n    return abs(a) + abs(b)\n",
        old="abs(a) + abs(b)",
        new="a + b",
        why="The absolute values were meant for `distance`, which does not use them.",
        tests="pytest -q",
        red="FAILED tests/test_core.py::test_add_negative - assert 5 == -5\n"
        "1 failed, 7 passed in 0.08s\n",
        green="8 passed in 0.07s\n",
        done="`add` adds again. 8 tests pass.",
    ),
    "eslint": Fix(
        root="storefront",
        asked="Bump eslint to 10 and fix what it finds.",
        path="package.json",
        before='{\n  "devDependencies": {\n    "eslint": "^9.12.0"\n  }\n}\n',
        old="^9.12.0",
        new="^10.0.0",
        why="The flat config is there already, so only the version changes.",
        tests="npm ci -s && npx eslint .",
        red="",
        green="",
        done="eslint 10 finds nothing new: 0 errors, 0 warnings in 214 files.",
        search="npx eslint --version && ls eslint.config.js",
        found="v9.12.0\neslint.config.js\n",
    ),
    "csv-bom": Fix(
        root="importer",
        asked="Excel's CSV files lose their first column. Why?",
        path="importer/read.py",
        before='import csv\n\n\ndef rows(path):\n    with open(path, newline="") as file:\n'
        "        yield from csv.DictReader(file)\n",
        old='newline="") as',
        new='newline="", encoding="utf-8-sig") as',
        why="Excel writes a byte order mark, which becomes part of the first column's name.",
        tests="pytest -q tests/test_read.py",
        red="E   KeyError: 'id'\n1 failed, 11 passed in 0.22s\n",
        green="12 passed in 0.21s\n",
        done="The byte order mark is skipped now; files without one read as before.",
    ),
    "n-plus-1": Fix(
        root="shop",
        asked="/orders makes 240 queries. Bring it under ten.",
        path="shop/views.py",
        before="def orders(request):\n    found = Order.objects.filter(user=request.user)\n"
        '    return render(request, "orders.html", {"orders": found})\n',
        old="filter(user=request.user)",
        new='filter(user=request.user).select_related("address").prefetch_related("lines__item")',
        why="One query for each address and one for each item of each line.",
        tests="pytest -q tests/test_orders.py",
        red="E   AssertionError: 241 queries, expected at most 10\n1 failed, 5 passed in 2.90s\n",
        green="6 passed in 1.12s\n",
        done="/orders makes 4 queries for any number of orders.",
    ),
    "go-leak": Fix(
        root="relay",
        asked="The relay leaks a goroutine for each client that disconnects.",
        path="relay/client.go",
        before="func (c *Client) pump(out chan<- []byte) {\n\tfor message := range c.in {\n"
        "\t\tout <- message\n\t}\n}\n",
        old="\t\tout <- message\n",
        new="\t\tselect {\n\t\tcase out <- message:\n\t\tcase <-c.gone:\n\t\t\treturn\n\t\t}\n",
        why="After a disconnect nobody reads `out`, so the send never returns.",
        tests="go test ./relay -run Leak -count=5",
        red="client_test.go:61: 5 goroutines left\nFAIL\nFAIL\tacme/relay\t1.204s\n",
        green="ok  \tacme/relay\t1.187s\n",
        done="`pump` ends with its client. Five runs of the leak test pass.",
    ),
    "dst": Fix(
        root="calendar",
        asked="Weekly events move by an hour in spring.",
        path="cal/repeat.py",
        before="def next_week(event):\n    return event.start + timedelta(days=7)\n",
        old="event.start + timedelta(days=7)",
        new="(event.local_start + timedelta(days=7)).replace(tzinfo=event.zone)",
        why="Seven days are added in UTC. A weekly event repeats in the zone it was made in.",
        tests="pytest -q tests/test_repeat.py",
        red="FAILED tests/test_repeat.py::test_spring - assert 10 == 9\n"
        "1 failed, 23 passed in 0.4s\n",
        green="24 passed in 0.4s\n",
        done="Weekly events keep their local time across the change of the clocks.",
    ),
    "readme-links": Fix(
        root="handbook",
        asked="Check the links in README.md.",
        path="README.md",
        before="# Handbook\n\nSee [setup](docs/setpu.md) and [style](docs/style.md).\n",
        old="docs/setpu.md",
        new="docs/setup.md",
        why="Two letters are swapped.",
        tests="lychee --offline README.md",
        red="✗ docs/setpu.md: file not found\n1 error, 1 ok\n",
        green="0 errors, 2 ok\n",
        done="One link was wrong, in the name of the file. Both work.",
    ),
    "export-guard": Fix(
        root="gateway",
        asked="GET /v1/export.csv answers without a login, /v1/export does not. Guard both.",
        path="src/guard.ts",
        before="export function isGuarded(path: string): boolean {\n"
        "  return GUARDED.has(path);\n}\n",
        old="GUARDED.has(path)",
        new='GUARDED.has(path.replace(/\\.(csv|json)$/, ""))',
        why="The guard sees the path before the suffix is cut off.",
        tests="npm test -- guard",
        red="GET /v1/export.csv: expected 401, received 200\n"
        "Tests: 1 failed, 18 passed, 19 total\n",
        green="Tests: 19 passed, 19 total\n",
        done="`/v1/export.csv` asks for a login now, and so does `.json`. 19 tests pass.",
    ),
    "unicode-slug": Fix(
        root="blog",
        asked="Posts titled in Greek get the slug `-`.",
        path="blog/slug.py",
        before="import re\n\n\ndef slug(title):\n"
        '    return re.sub(r"[^a-z0-9]+", "-", title.lower())\n',
        old='r"[^a-z0-9]+"',
        new='r"[\\W_]+"',
        why="Only ASCII letters were kept; `\\w` knows all of them.",
        tests="pytest -q tests/test_slug.py",
        red="E   assert '-' == 'αρχή-νέα'\n1 failed, 14 passed in 0.05s\n",
        green="15 passed in 0.05s\n",
        done="Slugs keep the letters of any script; the addresses of old posts stay as they are.",
    ),
    "timeout": Fix(
        root="client",
        asked="The client hangs when the server accepts and then says nothing.",
        path="client/http.py",
        before="TIMEOUT = None\n",
        old="TIMEOUT = None",
        new="TIMEOUT = 10.0",
        why="There is a place for it; it was switched off for a debugger.",
        tests="pytest -q tests/test_silence.py",
        red="E   Failed: timeout of 30 s\n1 failed in 30.02s\n",
        green="1 passed in 10.04s\n",
        done="A silent server is given up after 10 s.",
    ),
}
