"""Runs the property tests for some minutes, with fresh examples and many more of them.

A failing test prints its example and a line `@reproduce_failure(...)` that repeats it. Mend the
cause and keep the example in the test as an `@example`. Exit codes: 0 nothing failed, 1 something
did, 2 wrong use.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time

FIRST = 60
"""Examples per test in the first round, which measures how long a round takes."""

MOST = 300.0
"""Maximum seconds of a round: it prints its findings at its end."""


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
        if left < took / examples * FIRST:  # not enough time for even a short round
            break
        # a tenth less than would fit: examples differ in size
        examples = max(FIRST, int(examples / took * min(left, MOST) * 0.9))
    print(f"{total:,} examples of each test: {'something failed' if failed else 'nothing failed'}")
    return int(failed)


def round_of(examples: int, rest: list[str]) -> int:
    """Run pytest once; returns its exit code."""
    seed = secrets.randbelow(2**32)
    print(f"{examples:,} examples of each test, --hypothesis-seed={seed}", flush=True)
    command = [sys.executable, "-m", "pytest", "tests", "-m", "hypothesis", "-n", "auto"]
    more = ["--dist", "worksteal", "--tb", "short", f"--hypothesis-seed={seed}", *rest]
    surroundings = os.environ | {"FUZZ_EXAMPLES": str(examples)}
    return subprocess.run([*command, *more], env=surroundings, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
