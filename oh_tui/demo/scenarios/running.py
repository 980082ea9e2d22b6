"""Runs that go on while you watch: their events lie partly in the future."""

from __future__ import annotations

from oh_tui.demo.images import SCREENSHOT
from oh_tui.demo.run import Run
from oh_tui.demo.tools import browse, create, edit, grep, mcp, plan, shell, view

VOUCHER = """\
export interface Voucher {
  code: string;
  cents: number;
  validFrom: number;
}

export function issue(code: string, cents: number): Voucher {
  return { code, cents, validFrom: Math.round(Date.now() / 1000) * 1000 };
}

export function apply(voucher: Voucher, total: number, now = Date.now()): number {
  if (now < voucher.validFrom) {
    return total;
  }
  return Math.max(0, total - voucher.cents);
}
"""

CART_TEST = """\
import { add, emptyCart, total } from "../src/cart";
import { apply, issue } from "../src/voucher";

test("applies the voucher once", async () => {
  const cart = await add(emptyCart(), "mug-blue", 1);
  const voucher = issue("SPRING", 200);
  expect(apply(voucher, total(cart))).toBe(1790);
});
"""

VOUCHER_TEST = """\
import { apply, issue } from "../src/voucher";

test.each([0, 1, 499, 500, 501, 999])("a voucher is valid %i ms into its second", (ms) => {
  jest.useFakeTimers({ now: Date.UTC(2026, 0, 15, 12, 0, 0, ms) });
  expect(apply(issue("SPRING", 200), 1990)).toBe(1790);
  jest.useRealTimers();
});
"""

FLAKY = """\
  ● applies the voucher once

    expect(received).toBe(expected) // Object.is equality

    Expected: 1790
    Received: 1990

      6 |   const voucher = issue("SPRING", 200);
    > 7 |   expect(apply(voucher, total(cart))).toBe(1790);
        |                                       ^

"""


def _jest(failed: int, count: int, seconds: float, suites: int = 24) -> str:
    bad = f"{failed} failed, " if failed else ""
    return (
        f"{FLAKY if failed else ''}"
        f"Test Suites: {bad}{suites - failed} passed, {suites} total\n"
        f"Tests:       {bad}{count - failed} passed, {count} total\nTime:        {seconds} s\n"
    )


def flaky_ci(run: Run) -> None:
    """Live: begins just before you look, ends about ten minutes later."""
    run.root = "/workspace/storefront"
    run.files = {"src/voucher.ts": VOUCHER, "test/cart.test.ts": CART_TEST}
    run.user(
        "CI on main fails about every fifth time, always in test/cart.test.ts. Find out why and "
        "fix the cause, not the test. No retries, please."
    )
    run.do(
        "",
        plan(
            run,
            "See how it fails in CI",
            "Make it fail here",
            "Fix the cause",
            "Prove it with 40 runs in a row",
        ),
        llm=4.6,
    )
    run.do(
        "What do the failed jobs have in common?",
        mcp(
            "github_list_job_failures",
            {"branch": "main", "last": 20},
            "4 of 20 runs failed, all in test/cart.test.ts › applies the voucher once\n"
            "expected 1790, received 1990 (4 of 4)",
            ran=1.8,
        ),
        llm=3.7,
    )
    run.do(
        "The voucher was not applied at all. The test and the code it calls:",
        view(run, "test/cart.test.ts"),
        view(run, "src/voucher.ts"),
        llm=4.3,
    )
    run.do("", plan(run, done=1), llm=2.8)
    run.do(
        "First the whole suite, one worker, as CI does it.",
        shell(run, "npm test -- --runInBand", _jest(0, 211, 44.812), ran=46),
        llm=5.1,
    )
    run.do(
        "Green. One test alone, forty times:",
        shell(
            run,
            "for i in $(seq 40); do npx jest test/cart.test.ts >/tmp/$i.log 2>&1 || echo run $i "
            "failed; done",
            "".join(f"run {n} failed\n" for n in (3, 4, 11, 17, 18, 19, 30, 36)),
            ran=83,
        ),
        llm=6.2,
    )
    run.do("", shell(run, "cat /tmp/3.log", _jest(1, 1, 0.618, 1), ran=0.05), llm=2.7)
    run.do("", plan(run, done=2), llm=2.6)
    run.do(
        "8 of 40. `issue` rounds to whole seconds, and `Math.round` rounds up in the second half "
        "of a second: such a voucher becomes valid up to half a second later. Whether the test "
        "passes depends on the millisecond it starts in.",
        shell(
            run,
            "git log -L '/export function issue/,+2:src/voucher.ts' --oneline -1",
            "3f0c9ab Vouchers: store whole seconds\n",
            ran=0.1,
        ),
        llm=11.4,
        because="validFrom can be larger than Date.now() by up to 500 ms. add() takes about 300 ms "
        "before, but issue and apply follow each other directly, so the window is the half second.",
    )
    run.do(
        "A test that does not depend on luck: fixed times across the second.",
        create(run, "test/voucher.test.ts", VOUCHER_TEST),
        llm=9.0,
    )
    run.do(
        "",
        shell(
            run,
            "npx jest test/voucher.test.ts",
            "  ✓ a voucher is valid 0 ms into its second\n"
            "  ✓ a voucher is valid 1 ms into its second\n"
            "  ✓ a voucher is valid 499 ms into its second\n"
            "  ✕ a voucher is valid 500 ms into its second\n"
            "  ✕ a voucher is valid 501 ms into its second\n"
            "  ✕ a voucher is valid 999 ms into its second\n"
            "Tests:       3 failed, 3 passed, 6 total\nTime:        1.102 s\n",
            code=1,
            ran=2.3,
        ),
        llm=3.1,
    )
    run.do("", edit(run, "src/voucher.ts", "Math.round(", "Math.floor("), llm=6.0)
    run.do(
        "",
        shell(
            run,
            "npx jest test/voucher.test.ts",
            "Tests:       6 passed, 6 total\nTime:        1.094 s\n",
            ran=2.2,
        ),
        llm=2.5,
    )
    run.do("", plan(run, done=3), llm=2.7)
    run.do(
        "And the forty runs again.",
        shell(
            run,
            "for i in $(seq 40); do npx jest test/cart.test.ts >/tmp/$i.log 2>&1 || echo run $i "
            "failed; done; echo done",
            "done\n",
            ran=84,
        ),
        llm=4.8,
    )
    run.do("Anything else that rounds a time up?", grep(run, "Math.round(Date.now", []), llm=3.9)
    run.do("", shell(run, "npm test -- --runInBand", _jest(0, 217, 45.207, 25), ran=47), llm=3.3)
    run.do(
        "Once more with the random seed that failed in CI.",
        shell(
            run,
            "npm test -- --runInBand --randomize --seed=-1883",
            _jest(0, 217, 46.31, 25),
            ran=48,
        ),
        llm=5.7,
    )
    run.do(
        "",
        shell(run, "npx tsc --noEmit && npx eslint src test", "", ran=38),
        llm=3.5,
    )
    run.do(
        "",
        shell(
            run,
            "git switch -qc voucher-floor && git commit -qam 'Round the start of a voucher "
            "down' && git push -q origin voucher-floor",
            ran=3.2,
        ),
        llm=4.4,
    )
    run.do(
        "Now the same on CI.",
        mcp(
            "github_wait_for_checks",
            {"branch": "voucher-floor"},
            "conclusion: success\ntest (1): passed in 1m52s\ntest (2): passed in 1m49s",
            ran=117,
        ),
        llm=3.6,
    )
    run.do("", plan(run, done=4), llm=2.5)
    run.finish(
        "**Cause:** `issue` rounded the start of a voucher to the nearest second. In the second "
        "half of a second that is in the future, so the voucher was not valid yet when the test "
        "used it.\n\n**Fix:** `Math.floor` in `src/voucher.ts`; six tests with a fixed clock in "
        "`test/voucher.test.ts`, three of which failed before.\n\n**Proof:** 40 of 40 runs pass "
        "(before: 32 of 40); all 217 tests and CI pass. The branch is `voucher-floor`.",
        llm=9.5,
    )


CSS = """\
body {
  background: #ffffff;
  color: #1b1f24;
}

pre {
  background: #f4f5f7;
}
"""

CSS_DARK = """\
:root {
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #14171c);
  --ink: light-dark(#1b1f24, #d7dce2);
  --code: light-dark(#f4f5f7, #1e232b);
}

body {
  background: var(--paper);
  color: var(--ink);
}

pre {
  background: var(--code);
}
"""


def dark_mode(run: Run) -> None:
    """Live: its sandbox is still starting when you look; five minutes of work."""
    run.root = "/workspace/docs"
    run.files = {"static/site.css": CSS}
    run.user("The docs site has no dark mode. Follow the reader's system setting, no switch.")
    run.do(
        "", shell(run, "ls && ls static", "content  layouts  static\nlogo.svg  site.css\n"), llm=3.1
    )
    run.do("", view(run, "static/site.css"), llm=2.7)
    run.do(
        "Five colours in one file; `light-dark()` keeps each pair in one place.",
        edit(run, "static/site.css", CSS, CSS_DARK),
        llm=9.9,
    )
    run.do(
        "",
        shell(
            run,
            "hugo server -D --port 1313 >/tmp/hugo.log 2>&1 & sleep 2; tail -1 /tmp/hugo.log",
            "Web Server is available at http://localhost:1313/\n",
            ran=2.4,
        ),
        llm=3.5,
    )
    run.do(
        "",
        browse(
            "Navigate",
            "Opened http://localhost:1313/ (Docs)",
            url="http://localhost:1313/",
            new_tab=False,
            ran=1.1,
        ),
        llm=3.0,
    )
    run.do(
        "",
        browse(
            "GetState",
            "URL: http://localhost:1313/\nTitle: Docs\n[0] a Guide\n[1] a API",
            image=SCREENSHOT,
            include_screenshot=True,
            ran=0.9,
        ),
        llm=3.3,
    )
    run.do(
        "The page follows the setting. Contrast of every pair, as WCAG counts it:",
        shell(
            run,
            "npx pa11y-ci --config .pa11y-dark.json",
            "Running Pa11y on 41 URLs:\n > 41/41 URLs passed\n",
            ran=118,
        ),
        llm=6.4,
    )
    run.do(
        "",
        shell(run, "npx pa11y-ci", "Running Pa11y on 41 URLs:\n > 41/41 URLs passed\n", ran=116),
        llm=2.9,
    )
    run.finish(
        "The site follows the system's setting. All colours are in `static/site.css`, as pairs; "
        "41 of 41 pages pass the contrast check in both.",
        llm=5.0,
    )
