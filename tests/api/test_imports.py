"""The import cost and the exports of the service layer."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import oh_tui.api


def loaded_by(statement: str) -> set[str]:
    """The modules of a new Python after `statement`."""
    code = f"{statement}\nimport sys; print(*[n for n, m in sys.modules.items() if m], sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import oh_tui.api",
        "import oh_tui.api.errors, oh_tui.api.models",
        "from oh_tui.api import ApiError, NotFound, Conversation, Page, Secret, same_id",
    ],
)
def test_errors_and_models_load_no_httpx(statement: str) -> None:
    assert not {"httpx", "starlette"} & loaded_by(statement)


def test_the_whole_layer_loads_no_screen() -> None:
    loaded = loaded_by("from oh_tui.api import OpenHands; import oh_tui.api.sync")
    assert "httpx" in loaded
    assert not {"textual", "starlette"} & loaded


def test_the_program_loads_no_command_line_of_httpx() -> None:
    loaded = loaded_by(
        "import sys; from oh_tui import __main__\n"
        "sys.argv[1:] = ['--demo', 'status']; __main__.main()"
    )
    assert "httpx" in loaded
    assert not {"httpx._main", "click", "rich", "pygments", "textual"} & loaded


def test_every_exported_name_is_there() -> None:
    assert sorted(oh_tui.api.__all__) == oh_tui.api.__all__
    for name in oh_tui.api.__all__:
        assert getattr(oh_tui.api, name).__module__.startswith(
            ("oh_tui.api.", "oh_tui.conversation", "oh_tui.text.")
        )
    with pytest.raises(AttributeError):
        oh_tui.api.nothing  # noqa: B018
    assert dir(oh_tui.api) == oh_tui.api.__all__


def test_every_error_of_the_tree_is_exported() -> None:
    from oh_tui.api import errors

    assert errors.__doc__
    tree = set(re.findall(r"^(?:[│ ]*[├└]── )?(\w+)  +", errors.__doc__, re.M))
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert len(tree) == 16
    assert tree == kinds
    for name in tree:
        assert getattr(oh_tui.api, name) is getattr(errors, name)
