"""Files with rules: what they say, and each fault with its line."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from oh_tui.batch.rules.agreed import NotAgreed
from oh_tui.batch.rules.rule import Severity
from oh_tui.batch.rules.rule_places import builtin_rules, rules_in_force
from oh_tui.batch.rules.rules_file import parse_rules
from oh_tui.text.problem import Problem
from oh_tui.trajectory.rules.question import Condition, Question, Same

RULE = '[[rule]]\nname = "a"\nwhy = "so"\n'


def faults(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.text) for one in parse_rules(text).faults]


def test_a_rule_has_one_question() -> None:
    text = RULE + 'severity = "high"\nsteps = ["does:push", "does:commit"]\nnever = true\n'
    (rule,) = parse_rules(text, "mine.toml").rules
    assert (rule.name, rule.why, rule.severity, rule.origin) == (
        "a", "so", Severity.HIGH, "mine.toml",
    )  # fmt: skip
    assert isinstance(rule.asks, Question)
    assert [query.text for query in rule.asks.words] == ["does:push", "does:commit"]
    assert (rule.asks.condition, rule.asks.number) == (Condition.AT_MOST, 0)
    assert rule.fields == (("steps", "does:push or does:commit"), ("never", "true"))


def test_each_test_is_read() -> None:
    tests = {
        "at_most = 3": (Condition.AT_MOST, 3, Same.CALL, False),
        "repeated = 4\nin_a_row = true": (Condition.REPEATED, 4, Same.CALL, True),
        'repeated = 5\nsame = "file"': (Condition.REPEATED, 5, Same.FILE, False),
    }
    for written, test in tests.items():
        (rule,) = parse_rules(f'{RULE}steps = "does:look"\n{written}\n').rules
        asks = rule.asks
        assert isinstance(asks, Question)
        assert (asks.condition, asks.number, asks.same, asks.in_a_row) == test
    text = RULE + 'steps = "does:push"\nbefore = "tests:passed"\nsince = "does:edit"\n'
    (rule,) = parse_rules(text).rules
    assert isinstance(rule.asks, Question) and rule.asks.condition is Condition.BEFORE
    assert [query.text for query in rule.asks.since] == ["does:edit"]


OF_USER = "notes, bookmarks, tags and what was opened are of one user"

FAULTS = {
    'steps = "does:psh"\nnever = true': (4, "steps: does:psh is not known, at character 6: "),
    'steps = "-is:failed dos:push"\nnever = true': (4, "steps: There is no field dos, at char"),
    'steps = "re:/(/"\nnever = true': (4, "steps: re:/(/ is not known"),
    'steps = "is:failed -is:failed"\nnever = true': (4, "steps: this can never match: it asks for"),
    'steps = "step:20-10"\nnever = true': (4, "steps: this can never match: no step has"),
    'steps = "took:>5s took:<2s"\nnever = true': (4, "steps: this can never match: no took: is in"),
    'steps = "is:rejected is:error"\nnever = true': (4, "steps: this can never match: a step has"),
    'run = "rule:no-installs"': (4, "run: rules do not refer to each other"),
    'run = "cost:>1 cost:<0.5"': (4, "run: this can never match: no cost: is in all"),
    'steps = "does:push"': (4, "a rule about steps has one of never"),
    'steps = "does:push"\nnever = true\nat_most = 3': (6, "a rule about steps has one of never"),
    'steps = "does:push"\nat_least = 0': (5, "at_least is a number from 1"),
    'steps = "does:push"\nat_most = -1': (5, "at_most is a number from 0"),
    'steps = "does:push"\nnever = false': (5, "never is true"),
    'steps = "does:push"\nnever = true\nsince = "x"': (6, "since stands beside before or never_"),
    'steps = "note:any"\nnever = true': (4, f"steps: {OF_USER}"),
    'steps = "is:bookmarked"\nnever = true': (4, f"steps: {OF_USER}"),
    'run = "is:bookmarked"': (4, f"run: {OF_USER}"),
    'run = "note:word"': (4, f"run: {OF_USER}"),
    'run = "-tag:key"': (4, f"run: {OF_USER}"),
    'run = ["is:failed", "is:unread"]': (4, f"run: {OF_USER}"),
    'run = "is:needs"': (4, f"run: {OF_USER}"),
    'steps = ""\nnever = true': (4, "steps: this asks for nothing"),
    'steps = 5\nnever = true': (4, "steps is words in quotes"),
    'steps = "does:push"\nafter = "rule:b"': (5, "after: "),
    'steps = "does:push"\nrule = "b"\nnever = true': (5, "'rule' is not anything that a rule has"),
    'run = "is:failed"\nnever = true': (5, "a rule asks run or steps, not run and never"),
    'never = true': (1, "a rule asks steps or run"),
    'run = "is:failed"\nexamples = ["a", 3]': (5, "examples is a list of names of runs"),
    'severity = "worst"\nrun = "is:failed"': (4, "severity is look, low, medium or high"),
}  # fmt: skip


@pytest.mark.parametrize("written", FAULTS)
def test_each_fault_has_its_line(written: str) -> None:
    line, text = FAULTS[written]
    (found,) = faults(f"{RULE}{written}\n")
    assert found[0] == line
    assert found[1].startswith(text)


def test_all_faults_of_a_rule_are_told() -> None:
    steps = 'steps = ["does:psh", "is:failed", "is:failed -is:failed"]\n'
    found = faults(RULE + steps + "never = 3\nsince = 5\nname_ = 1\n")
    assert [line for line, _ in found] == [4, 4, 5, 6, 6, 7]


def test_a_fault_in_a_later_rule_has_its_line() -> None:
    text = RULE + 'run = "is:failed"\n\n[[rule]]\nname = "a"\nwhy = "again"\nrun = "cost:>x"\n'
    found = faults(text)
    assert [line for line, _ in found] == [7, 9]
    assert found[0][1] == "there are two rules a"


def test_what_is_no_file_with_rules_is_told() -> None:
    assert faults("[[rule]\n")[0][0] == 1
    assert "[[rule]]" in faults("[rule]\nname = 'a'\n")[0][1]
    assert "[[rule]]" in faults("name = 'a'\n")[0][1]
    many = "".join(f'[[rule]]\nname = "r{n}"\nwhy = "x"\nrun = "is:failed"\n' for n in range(1_001))
    assert faults(many) == [(1, "rule is at most 1,000 tables, each of them [[rule]]")]
    assert "nests" in faults(f"a{'.a' * 200} = 1\n")[0][1]


def test_a_later_file_replaces_and_switches_off(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "rules.toml").write_text(
        '[[rule]]\nname = "no-installs"\nenabled = false\n\n' + RULE + 'run = "is:failed"\n'
    )
    work = tmp_path / "work" / "deep"
    (work.parent / ".oh-tui").mkdir(parents=True)
    (work.parent / ".git").mkdir()
    work.mkdir()
    file = work.parent / ".oh-tui" / "rules.toml"
    file.write_text(RULE.replace("so", "ours") + 'run = "is:stuck"\n')
    environment = {"OH_TUI_CONFIG": str(tmp_path / "config.toml"), "HOME": str(tmp_path / "home")}
    with pytest.raises(NotAgreed) as asked:
        rules_in_force(environment, work)
    asked.value.agree(environment)
    found = rules_in_force(environment, work)
    names = [rule.name for rule in found.rules]
    assert "no-installs" not in names and len(names) == 12
    assert (found.rules[-1].why, found.rules[-1].origin) == ("ours", str(file))
    assert found.of_repository == file
    assert rules_in_force({}, tmp_path).of_repository is None
    assert rules_in_force({}, work, [file]).of_repository == file  # named, so known
    file.write_text(file.read_text().replace("ours", "others"))
    with pytest.raises(NotAgreed):
        rules_in_force(environment, work)


def test_faults_of_a_file_are_one_problem(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(RULE + 'run = "cost:>x"\n')
    with pytest.raises(Problem, match=r"mine\.toml has a fault") as found:
        rules_in_force({}, None, [file])
    assert found.value.hint.startswith("line 4: run: cost:>x is not known")
    file.write_text(RULE + "".join(f"odd-{n} = 1\n" for n in range(8)))
    with pytest.raises(Problem, match=r"has 9 faults") as found:
        rules_in_force({}, None, [file])
    lines = list(map(str.strip, found.value.hint.splitlines()))
    assert len(lines) == 7 and lines[5] == "and 4 more"
    file.write_text('[[rule]]\nname = "no-such"\nenabled = false\n')
    with pytest.raises(Problem, match="has a fault") as found:
        rules_in_force({}, None, [file])
    assert found.value.hint.startswith("line 1: there is no rule no-such to switch off")
    file.write_bytes(b"x" * 70_000)
    with pytest.raises(Problem, match="too large"):
        rules_in_force({}, None, [file])
    with pytest.raises(Problem, match="cannot be read"):
        rules_in_force({}, None, [tmp_path / "none.toml"])


def test_twelve_rules_come_with_it() -> None:
    rules = builtin_rules()
    assert len({rule.name for rule in rules}) == 12
    assert all(rule.why.endswith(".") for rule in rules)
    assert pickle.loads(pickle.dumps(rules)) == rules  # they go to other processes
