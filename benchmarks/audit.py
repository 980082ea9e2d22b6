"""Whether the rules find each planted violation in many runs, and none that is not there; how fast.

    python -m benchmarks.audit --runs 10000

It is held against the plain computation of the tests, and takes about 10 ms a run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from oh_tui.batch.rules.rule import findings
from oh_tui.batch.rules.rule_places import builtin_rules
from oh_tui.conversation import Conversation
from oh_tui.trajectory.findings.study import Study
from tests.trajectory.planted_rules import (
    billed,
    expected,
    planted,
    run_of,
    told,
)

SHOWN = 20
"""Differences that are printed."""


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=10_000)
    options.add_argument("--first", type=int, default=0, help="the seed of the first run")
    given = options.parse_args()
    return measure(range(given.first, given.first + given.runs))


def measure(seeds: range) -> int:
    """Prints what was found and how long it took; 1 if a run was judged otherwise."""
    rules, states, wrong = builtin_rules(), Counter[str](), list[str]()
    took, steps = 0.0, 0
    for seed in seeds:
        deeds = planted(seed)
        bill = billed(seed, deeds)
        wanted, run = expected(deeds, bill), run_of(deeds, bill)
        began = time.perf_counter()
        found = findings(rules, Study(run), Conversation(id="planted"))
        took += time.perf_counter() - began
        steps += len(run.steps)
        for one in found:
            states[one.state] += 1
            if told(one) != wanted[one.rule]:
                wrong.append(f"seed {seed}: {one.rule} {told(one)}, planted {wanted[one.rule]}")
    counts = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    print(f"audit of {len(seeds):,} runs, {steps:,} steps: {counts}; {len(wrong)} wrong")
    print(f"{took:.1f} s, {1e3 * took / max(1, steps):.2f} ms a step with {len(rules)} rules")
    print("\n".join(wrong[:SHOWN]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
