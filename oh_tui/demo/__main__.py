"""python -m oh_tui.demo: write catalog.json anew, after a scenario was changed."""

from oh_tui.demo.catalog import FILE
from oh_tui.demo.write_catalog import index

FILE.write_text(index(), "utf-8")
