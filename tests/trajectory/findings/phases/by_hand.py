"""Phases of ten made-up runs as a reader would bound them, written before there were rules.

They are not changed to agree with the rules. Each has its last step, its name, and why.
"""

from __future__ import annotations

BY_HAND: dict[str, list[tuple[int, str, str]]] = {
    "Parse ISO week dates": [
        (6, "look", "reads the history, the parser and its tests"),
        (15, "debug", "writes the tests first, then changes parse.py until they pass"),
        (24, "edit", "--explain and a property test, for which a package was missing"),
        (26, "answer", "ticks the plan off and finishes"),
        (31, "edit", "a new task: turns the tests around"),
        (41, "debug", "two rounds of a failing test, a change, a passing one"),
        (45, "edit", "the test of --explain"),
        (56, "debug", "two tests fail, several changes, then its tests pass"),
        (61, "run", "the same command again and again"),
    ],
    "Port the CLI to click": [
        (4, "look", "plans, reads the first command, saves its help"),
        (20, "edit", "ports four commands, each tested"),
        (23, "debug", "a test fails, one change, it passes"),
        (30, "edit", "ports the fifth command, has the notes written"),
        (31, "test", "all tests once more"),
        (32, "answer", "finishes"),
    ],
    "Read the ISO dates of the ERP": [
        (6, "look", "reads the history, the parser and its tests"),
        (12, "debug", "tests first, then changes until they pass"),
        (17, "edit", "--explain, tried by hand"),
        (18, "answer", "finishes"),
        (22, "edit", "a new task: changes the tests"),
        (28, "debug", "one fails, two changes, they pass; tries by hand"),
        (30, "edit", "the changelog, all tests"),
        (31, "answer", "finishes"),
    ],
    "Migrate to pydantic 2": [
        (7, "look", "what there is, and what the tests say before"),
        (8, "install", "the new version"),
        (12, "edit", "reads and changes the settings"),
        (14, "debug", "a test fails; is it the change?"),
        (16, "commit", "the first commit"),
        (25, "edit", "the models, with tests between"),
    ],
    "Get the Windows build green": [
        (4, "look", "the history, the job, the code"),
        (19, "debug", "five tries, pushed to see whether the job passes"),
        (22, "look", "what the tests open, at last, then the limit"),
    ],
    "Add OAuth login": [
        (4, "look", "the branch"),
        (7, "edit", "the route and its test"),
        (10, "debug", "a test fails, one change, it passes"),
        (18, "commit", "commits, and wants to push"),
    ],
    "Rename Store to Ledger": [
        (3, "look", "where the name is"),
        (4, "edit", "renames it everywhere"),
        (7, "debug", "a test fails as it was too much, takes some back"),
        (13, "edit", "the old name, the changelog"),
        (14, "test", "all tests"),
        (16, "answer", "finishes"),
    ],
    "Cache the docker layers": [
        (5, "look", "the Dockerfile, and how long a build takes before"),
        (7, "edit", "the Dockerfile"),
        (9, "test", "how long it takes now, and whether the image works"),
        (14, "commit", "commits, pushes, opens a pull request"),
        (15, "answer", "finishes"),
    ],
    "Raise the coverage of billing": [
        (841, "edit", "a test file, its tests, the next one, 364 times"),
        (842, "test", "all tests"),
        (843, "answer", "finishes"),
    ],
    "Why is the signup page slow?": [
        (17, "look", "goes through the page in a browser"),
        (18, "answer", "finishes"),
    ],
}
