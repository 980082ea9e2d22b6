"""python -m oh_tui.demo: write totals.json anew, after a scenario was changed."""

import json
from pathlib import Path

from oh_tui.demo.world import measured

rows = ",\n".join(f"{json.dumps(slug)}: {json.dumps(row)}" for slug, row in measured().items())
Path(__file__).with_name("totals.json").write_text(f"{{\n{rows}\n}}\n", "utf-8")
