"""The demo's runs in numbers, checked by hand against their scenarios."""

from __future__ import annotations

from pathlib import Path

from oh_tui.trajectory.findings.study import Study

from ..demo_runs import SLUGS, demo_run

TABLE = Path(__file__).parent / "golden.txt"
HEAD = "run              word     steps calls failed errors open     cost    tokens files    +    -"


def line(slug: str) -> str:
    run = demo_run(slug)
    study = Study(run)
    counts, spent, changes = run.counts, study.accounts.total, study.changes
    return (
        f"{slug:<16} {study.verdict.word or '-':<8} {len(run):>5} {counts.calls:>5}"
        f" {counts.failed_commands:>6} {counts.errors:>6} {counts.open:>4} {spent.cost:>8.4f}"
        f" {spent.prompt + spent.completion:>9} {changes.changed:>5} {changes.added:>4}"
        f" {changes.removed:>4}"
    )


def table() -> str:
    return "\n".join([HEAD, *map(line, SLUGS)]) + "\n"


def test_every_run_of_the_demo_is_what_it_was_found_to_be() -> None:
    assert table() == TABLE.read_text(encoding="utf-8")


if __name__ == "__main__":  # python -m tests.trajectory.test_golden: look at what changed
    TABLE.write_text(table(), encoding="utf-8")
