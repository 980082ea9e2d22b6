"""Runs the property tests for some minutes, with fresh examples and many more of them.

What fails prints its example and a line `@reproduce_failure(...)` that repeats it. Mend the cause
and keep the example in the test as an `@example`. Exit codes: 0 nothing failed, 1 something did,
2 wrong use.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time

FIRST = 60
"""Examples of each test in the first round, which shows how long a round takes."""

MOST = 300.0
"""Seconds of a round: what it found is printed at its end."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    arguments, rest = parser.parse_known_args()
    end = time.monotonic() + arguments.minutes * 60
    failed, examples, total = False, FIRST, 0
    while True:
        began = time.monotonic()
        code = round_of(examples, rest)
        if code not in (0, 1):
            return 2
        failed = failed or code == 1
        took = time.monotonic() - began
        total += examples
        left = end - time.monotonic()
        if left < took / examples * FIRST:  # not even a short round fits in
            break
        # a tenth less than fits in: examples are not of one size
        examples = max(FIRST, int(examples / took * min(left, MOST) * 0.9))
    print(f"{total:,} examples of each test: {'something failed' if failed else 'nothing failed'}")
    return int(failed)


def round_of(examples: int, rest: list[str]) -> int:
    """One run of pytest; gives its exit code."""
    seed = secrets.randbelow(2**32)
    print(f"{examples:,} examples of each test, --hypothesis-seed={seed}", flush=True)
    command = [sys.executable, "-m", "pytest", "tests", "-m", "hypothesis", "-n", "auto"]
    more = ["--dist", "worksteal", "--tb", "short", f"--hypothesis-seed={seed}", *rest]
    surroundings = os.environ | {"FUZZ_EXAMPLES": str(examples)}
    return subprocess.run([*command, *more], env=surroundings, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
