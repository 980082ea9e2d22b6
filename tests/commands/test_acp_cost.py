"""The cost of an agent that speaks ACP: its SDK makes some costs up, and adds others twice."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from oh_tui import cli
from oh_tui.api.models import Conversation, WholeMetrics
from oh_tui.sources.lists.attributes import cost_text
from tests.commands import schemas


def written(folder: Path, usage: str, cost: float) -> str:
    metrics = {"model_name": "gpt-4o", "accumulated_cost": cost, "accumulated_token_usage": {
        "prompt_tokens": 4000, "completion_tokens": 200}, "costs": []}  # fmt: skip
    base = {"id": "5f" * 16, "execution_status": "finished",
            "stats": {"usage_to_metrics": {usage: metrics}}}  # fmt: skip
    said = {"role": "user", "content": [{"type": "text", "text": "Tidy up"}]}
    event = {"kind": "MessageEvent", "id": "m", "source": "user", "llm_message": said}
    with zipfile.ZipFile(folder / "run.zip", "w") as archive:
        archive.writestr("base_state.json", json.dumps(base))
        archive.writestr("events/event-00000-m.json", json.dumps(event))
    return str(folder / "run.zip")


@pytest.mark.parametrize(
    ("usage", "cost", "words"),
    [
        ("acp-managed", 0.0556, ", ~$0.06"),
        ("acp-managed", 0.0, "price unknown"),
        ("agent", 0.0556, ", $0.06"),
    ],
)
def test_it_has_a_mark(
    usage: str, cost: float, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, usage, cost)
    cli.main(["why", path])
    assert words in capsys.readouterr().out
    cli.main(["why", path, "--json"])
    found = json.loads(capsys.readouterr().out)
    schemas.check("why", found)
    assert ("cost_is_estimate" in found["conversation"]) is ("~" in words)
    assert found["conversation"]["cost"] == (cost or None), "0 is not told"


def test_so_it_has_in_a_list_of_a_server() -> None:
    one = Conversation("c", metrics=WholeMetrics(0.0556), tags={"acpserver": "codex"})
    assert cost_text(one) == "~$0.06"
