"""What users keep is read as it was written: by 0.2.0, and what came after it as first released."""

from __future__ import annotations

from pathlib import Path

from oh_tui.batch.rules.agreed import not_agreed
from oh_tui.batch.rules.rules_file import parse_rules
from oh_tui.catalog.attributes import ORDERS
from oh_tui.catalog.status_cache import LastKnown, LastKnownStates
from oh_tui.catalog.user_annotations import Annotations, RunAnnotations
from oh_tui.conversation import Conversation
from oh_tui.settings.config import Config, ServerEntry, parse_config
from oh_tui.settings.preferences import Choices, OfServer, Preferences
from oh_tui.tui.keys import known

SETTINGS = """\
default = "work"
theme = " catppuccin-latte "
sort = "longest"
mouse = false
ascii = true
download_folder = "~/runs"
refresh = 30
notice = "notify-send 'a run'"
read_only = true

[servers.work]
url = "  oh.example.org/api/v1/ "
key_command = ["pass", "show", "openhands"]
auth = "session"
read_only = true

[servers.home]
url = "localhost:3000"
key_env = "HOME_KEY"
auth = ""

[servers.lab]
url = "http://10.0.0.5"
key_file = "~/.lab"
auth = " bearer "

[keys]
find.next = "ctrl+g, F6"
"find.previous" = "shift+F6"
"move.page_down" = "f7"
quit = "Q"
"""

IDS = """\
move.down move.up move.page_down move.page_up move.half_down move.half_up move.top move.end open
answer pane.1 pane.2 pane.3 pane.4 pane.next pane.previous back step.previous step.next result.down
result.up error.next error.previous user.next user.previous find find.next find.previous filter
sort select goto changes where hidden time wrap json zoom divider.left divider.right columns
load.all follow message agent.stop sandbox.pause start shell open.page open.pull download mark copy
pager editor images refresh help palette quit
"""
"""Of the keys of 0.2.0."""

RULES = """\
[[rule]]
name = "no-force"
why = "Others may have built on it."
severity = "high"
steps = "does:force -is:rejected"
never = true
examples = ["one"]

[[rule]]
name = "in-order"
why = "So."
steps = ["does:push", "does:commit"]
before = "tests:passed"
since = "does:edit"

[[rule]]
name = "few"
why = "So."
steps = "does:look"
repeated = 3
in_a_row = true
same = "file"

[[rule]]
name = "cheap"
why = "So."
severity = "look"
run = ["cost:>1", "took:>30m"]

[[rule]]
name = "no-installs"
enabled = false
"""

RUN = "0af76f4e5d1c4c54a3e4f25b8c0e12d5"
CLOUD = "https://app.all-hands.dev"


def test_settings() -> None:
    config, faults = parse_config(SETTINGS, known())
    assert not faults
    assert config == Config(
        servers={
            "work": ServerEntry(
                "work", "https://oh.example.org", key_command=("pass", "show", "openhands"),
                auth="session", read_only=True,
            ),
            "home": ServerEntry("home", "http://localhost:3000", key_env="HOME_KEY"),
            "lab": ServerEntry("lab", "http://10.0.0.5", key_file="~/.lab", auth="bearer"),
        },
        default="work",
        theme="catppuccin-latte",
        sort="longest",
        mouse=False,
        ascii=True,
        download_folder="~/runs",
        refresh=30.0,
        notice=("notify-send", "a run"),
        read_only=True,
        keys={
            "find.next": "ctrl+g,f6", "find.previous": "shift+f6", "move.page_down": "f7",
            "quit": "Q",
        },
    )  # fmt: skip


def test_names_in_settings() -> None:
    assert set(IDS.split()) <= known().actions.keys()
    assert {"needs", "newest", "cost", "longest", "title", "repo", "model"} <= set(ORDERS)


def test_rules() -> None:
    found = parse_rules(RULES, "mine.toml")
    assert not found.faults
    assert found.off == {"no-installs": 30}
    assert [(one.name, one.severity.value, one.fields, one.examples) for one in found.rules] == [
        ("no-force", "high", (("steps", "does:force -is:rejected"), ("never", "true")), ("one",)),
        (
            "in-order",
            "medium",
            (
                ("steps", "does:push or does:commit"), ("before", "tests:passed"),
                ("since", "does:edit"),
            ),
            (),
        ),
        (
            "few",
            "medium",
            (("steps", "does:look"), ("repeated", "3"), ("in_a_row", "true"), ("same", "file")),
            (),
        ),
        ("cheap", "look", (("run", "cost:>1 or took:>30m"),), ()),
    ]  # fmt: skip


def test_preferences(tmp_path: Path) -> None:
    file = tmp_path / "preferences.json"
    file.write_text(
        '{"theme":"nord","time":"clock","wrap":false,"left":{"160":50},"servers":{'
        f'"{CLOUD}":{{"sort":"cost","back":true,"columns":{{"cost":true,"repo":false}},'
        '"step_columns":{"llm":false}},"":{"sort":"title"},"demo":{"sort":"newest"}},'
        '"greeted":true,"version":1}'
    )
    of_cloud = OfServer("cost", True, {"cost": True, "repo": False}, {"llm": False})
    servers = {CLOUD: of_cloud, "demo": OfServer("newest"), "files": OfServer("title")}
    assert Preferences(file).chosen == Choices("nord", "clock", False, {160: 50}, servers, True)


def test_states_of_conversations(tmp_path: Path) -> None:
    file = tmp_path / "seen.json"
    file.write_text(
        f'{{"servers":{{"{CLOUD}":{{"{RUN}":{{"outcome":"waiting_for_confirmation",'
        '"when":1764000000.0,"line":"git push --force","opened":1763990000.0}}}}'
    )
    assert LastKnownStates(CLOUD, file).get(RUN) == LastKnown(
        "waiting_for_confirmation", 1764000000.0, "git push --force", 1763990000.0
    )


def test_bookmarks_notes_tags_and_budgets(tmp_path: Path) -> None:
    file = tmp_path / "annotations.json"
    file.write_text(
        f'{{"version":1,"runs":{{"{RUN}":{{"tags":{{"team":"core","seen":""}},"note":"look here",'
        '"bookmarks":["evt-17"],"step_notes":{"evt-17":"why again?"},"budget":2.5}}}'
    )
    assert Annotations(file).of(Conversation(id=RUN)) == RunAnnotations(
        {"team": "core", "seen": ""}, "look here", ("evt-17",), {"evt-17": "why again?"}, 2.5
    )


def test_rules_that_were_agreed_to(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[[rule]]\n")
    (tmp_path / "oh-tui").mkdir()
    (tmp_path / "oh-tui" / "agreed.json").write_text(
        '["08055e8adb8f8e572428a496b65d1d4d624aff53a6f2119c4b6806644ec1383c"]'
    )
    assert not_agreed({"XDG_STATE_HOME": str(tmp_path)}, file) is None
    file.write_text("[[rule]]\n\n")
    assert not_agreed({"XDG_STATE_HOME": str(tmp_path)}, file)
