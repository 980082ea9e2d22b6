"""What we use of Textual's private API: all of it is listed here, and Textual still has it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import textual
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.suggester import Suggester
from textual.widgets import Input, TextArea

from oh_tui import tui
from oh_tui.tui.app import OhTui
from oh_tui.tui.platform import textual_app

OVERRIDDEN = {
    (App, "_check_action_state"): "fails for an action of a controller",
    (App, "_fatal_error"): "prints local variables, which may hold keys",
    (App, "_handle_exception"): "the only place that sees every unhandled error",
    (LinuxDriver, "_run_input_thread"): "ends the app by printing a traceback",
    (Screen, "_screen_resized"): "lays out the first frame three times",
    (ScrollView, "_size_updated"): "draws all lines anew with another height",
    (TextArea, "_on_paste"): "takes control sequences out of a paste",
}
"""Member -> what goes wrong without our own."""

USED = {
    App: {"_bindings", "_close_messages_no_wait", "_driver", "_exit", "_handle_exception"},
    LinuxDriver: {
        "_app", "_debug", "_file", "_key_thread", "_loop", "_must_signal_resume",
        "_writer_thread",
    },
    Input: {"_suggestion"},
    Suggester: {"_get_suggestion"},
    TextArea: {"_component_styles"},
    ScrollView: {"_scroll_update", "_scrollbar_changes", "_size"},
}  # fmt: skip
"""Members that we read or set."""

MODULES = {"textual._styles_cache", "textual._xterm_parser"}

ROOT = Path(tui.__file__).parent


def our_classes() -> set[type]:
    names = [m.name for m in pkgutil.walk_packages(tui.__path__, "oh_tui.tui.")]
    found = set()
    for name in names:
        for member in vars(importlib.import_module(name)).values():
            if inspect.isclass(member) and member.__module__.startswith("oh_tui.tui"):
                found.add(member)
    return found


def test_nothing_private_is_overridden_but_what_is_listed() -> None:
    """Also by accident: a method of ours that has the name of a private one of Textual replaces
    it."""
    found = set()
    for ours in our_classes():
        bases = [base for base in ours.__mro__ if base.__module__.startswith("textual")]
        for name, member in vars(ours).items():
            if name.startswith("_") and not name.startswith("__") and callable(member):
                private = {(base, name) for base in bases if name in vars(base)}
                assert not private or ours.__module__.startswith("oh_tui.tui.platform"), ours
                found |= private
    assert found >= OVERRIDDEN.keys()
    assert {name for _, name in found} == {name for _, name in OVERRIDDEN}, found


@pytest.mark.parametrize("base", USED, ids=lambda base: base.__name__)
def test_textual_still_has_what_we_use(base: type) -> None:
    source = "".join(
        inspect.getsource(importlib.import_module(one.__module__))
        for one in base.__mro__
        if one.__module__.startswith("textual")
    )
    for name in USED[base]:
        assert re.search(rf"self\.{name}\b|def {name}\b|^    {name}\b", source, re.M), name


def test_no_other_private_member_of_textual_is_used() -> None:
    """Names that Textual gives to its own objects, read or set on an object not `self` of ours."""
    package = Path(textual.__file__).parent
    theirs: set[str] = set()
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        theirs |= set(re.findall(r"\bself\.(_[a-z]\w*)", text))
        theirs |= set(re.findall(r"def (_[a-z]\w*)\(", text))
    allowed = {name for names in USED.values() for name in names}
    allowed |= {name for _, name in OVERRIDDEN} | {"_replace"}  # of named tuples
    for path in ROOT.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }
        own |= {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        own |= {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        used = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr.startswith("_")
            and not node.attr.startswith("__")
        }
        here = allowed if path.parent.name == "platform" else {"_replace"}
        assert used & theirs - own <= here, (path.name, used & theirs - own - here)


def test_private_modules_of_textual_are_imported_in_one_place_each() -> None:
    found: dict[str, list[str]] = {}
    for path in ROOT.rglob("*.py"):
        for module in re.findall(r"from (textual\._\w+) import", path.read_text(encoding="utf-8")):
            found.setdefault(module, []).append(path.parent.name)
    assert found == {module: ["platform"] for module in MODULES}


UNCALLED = {
    "search_commands", "search_themes", "ThemeProvider", "action_change_theme",
    "get_system_commands", "action_command_palette", "deliver_screenshot", "deliver_text",
    "deliver_binary", "_deliver_binary", "action_screenshot", "show_design",
}  # fmt: skip
"""What of Textual needs the modules that are left out, and what calls it."""


def test_what_is_left_out_of_textual_is_needed_only_by_what_is_never_called() -> None:
    wanted = {name for names in textual_app.UNUSED.values() for name in names} | UNCALLED
    for module in ("app", "theme", "design"):
        source = inspect.getsource(importlib.import_module(f"textual.{module}"))
        for name, used in defined(ast.parse(source).body):
            assert name in UNCALLED or not used & wanted, (module, name, used & wanted)
    for path in ROOT.rglob("*.py"):
        used = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute)
        }
        assert not used & UNCALLED, (path.name, used & UNCALLED)
    assert "action_command_palette" in vars(OhTui), "Textual's own would be called"


def defined(statements: list[ast.stmt]) -> Iterator[tuple[str, set[str]]]:
    """Each function, method, class without its methods and other statement: its name, "" for none,
    and the names in it, not those of types and imports."""
    for statement in statements:
        if isinstance(statement, ast.ClassDef):
            names = {name for base in statement.bases for name in names_in(base)}
            yield statement.name, names
            if statement.name not in UNCALLED:
                yield from defined(statement.body)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement.name, {n for each in statement.body for n in names_in(each)}
        elif isinstance(statement, ast.AnnAssign):
            yield "", names_in(statement.value) if statement.value else set()
        elif not isinstance(statement, ast.Import | ast.ImportFrom | ast.If):
            yield "", names_in(statement)


def names_in(tree: ast.AST) -> set[str]:
    nodes = list(ast.walk(tree))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
