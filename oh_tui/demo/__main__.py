"""python -m oh_tui.demo: write catalog.json anew, after a scenario was changed: what the heads of
the scenarios say, and what their runs measure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from oh_tui.demo.catalog import FILE, make_entry
from oh_tui.demo.runs.player import FOLDER, load_scenario
from oh_tui.demo.runs.stored_events import last_stats
from oh_tui.demo.state import write_run

NOT_FACTS = {"root", "files", "confirms", "max_iterations", "step"}
"""What a scenario says for the player."""

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def index() -> str:
    """The text of `catalog.json`, the newest conversation first."""
    facts = [_facts(path.parent.name, path.stem) for path in FOLDER.glob("*/*.toml")]
    facts.sort(key=lambda each: (each.get("odd", False), each["age"]))
    rows = ",\n".join(json.dumps(each | _measured(each), ensure_ascii=True) for each in facts)
    return f"[\n{rows}\n]\n"


def _facts(folder: str, slug: str) -> dict[str, object]:
    scenario = load_scenario(f"{folder}/{slug}")
    facts = {key: value for key, value in scenario.items() if key not in NOT_FACTS}
    odd = {"odd": True} if folder == "odd" else {}
    return {"slug": slug, **odd, **facts, "age": _seconds(facts["age"])}


def _seconds(age: str) -> int:
    """The seconds of "2h20m"."""
    assert re.fullmatch(r"(\d+[dhms])+", age), age
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)(\D)", age))


def _measured(facts: dict[str, Any]) -> dict[str, Any]:
    """How a run ends, how long it takes, what it costs; {} of one that goes on."""
    if facts.get("live"):
        return {}
    began = datetime(2026, 1, 1, tzinfo=UTC).timestamp() - facts["age"]
    _, app, run = write_run(make_entry(facts), began + facts.get("delay", 0))
    usages, heard = run.stats(lists=False)["usage_to_metrics"], last_stats(app)[1]
    last = max((event.appended_at for event in app), default=run.began)
    return {
        "status": run.status,
        "lasted": round(last - run.began, 3),
        "usages": usages,
        **({} if heard == usages else {"heard": heard}),
    }


if __name__ == "__main__":
    FILE.write_text(index(), "utf-8")
