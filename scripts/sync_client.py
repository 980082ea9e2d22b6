"""Writes oh_tui/api/sync.pyi from the asynchronous classes: python -m scripts.sync_client"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import oh_tui.api
from oh_tui.api.agent_server import AgentServer
from oh_tui.api.app_server import AppServer, OpenHands
from oh_tui.api.app_services import GitProviders, SandboxService, StartTasks
from oh_tui.api.automations import AutomationServer
from oh_tui.api.bare_server import BareAgentServer
from oh_tui.api.sandbox_server import SandboxServer
from oh_tui.api.shared_server import SharedServer

PLACE = Path(oh_tui.api.__file__).with_name("sync.pyi")

HEAD = """\
from collections.abc import Iterator
from contextlib import AbstractContextManager
from oh_tui.api.blocking import Blocking, Listing, Pieces, Server
"""

CLASSES = (
    SandboxServer,
    AgentServer,
    SandboxService,
    StartTasks,
    GitProviders,
    AutomationServer,
    AppServer,
    BareAgentServer,
    OpenHands,
    SharedServer,
)
"""Each after those that it returns."""


def module() -> str:
    """The text of sync.pyi: what sync.py makes while it runs, for whoever checks types."""
    body = "\n".join(map(_class, CLASSES))
    defined = {"Listing", "Pieces", *(kind.__name__ for kind in CLASSES)}
    homes = dict(name for kind in CLASSES for name in _names(sys.modules[kind.__module__]))
    imports = [
        f"from {homes[name]} import {name}\n"
        for name in sorted(homes)
        if name not in defined and f" {name}\n" not in HEAD and re.search(rf"\b{name}\b", body)
    ]
    ruff = [sys.executable, "-m", "ruff"]
    text = HEAD + "".join(imports) + body
    for command in (["check", "--select=I,F401", "--fix-only", "-q"], ["format", "-q"]):
        arguments = [*ruff, *command, "--stdin-filename", str(PLACE), "-"]
        text = subprocess.run(
            arguments, input=text, capture_output=True, text=True, check=True
        ).stdout
    return text


def _class(kind: type) -> str:
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    is_server = hasattr(kind, "aclose")
    base = "AppServer" if kind is OpenHands else "Server" if is_server else "Blocking"
    text = f"class {kind.__name__}({base}):\n"
    for node in definition.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name == "__init__":
            head = f"    def __init__({ast.unparse(node.args)}) -> None: ...\n"
            text += head * is_server + _attributes(node)
        elif not node.name.startswith(("_", "aclose")):
            text += _method(node)
    return text


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The method without `async`; a property as one."""
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    returns = ast.unparse(node.returns) if node.returns else "None"
    returns = returns.replace("AsyncIterator", "Iterator").replace("NoReturn", "None")
    if any("asynccontextmanager" in mark for mark in marks):
        returns = re.sub(r"^Iterator\[(.*)\]$", r"AbstractContextManager[\1]", returns)
    mark = "    @property\n" * ("property" in marks)
    return f"{mark}    def {node.name}({ast.unparse(node.args)}) -> {returns}: ...\n"


def _attributes(init: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The public attributes that `__init__` sets, as properties."""
    parameters = {argument.arg: argument.annotation for argument in init.args.args}
    text = ""
    for node in init.body:
        match node:
            case ast.Assign([ast.Attribute(ast.Name("self"), name)], value) if name[0] != "_":
                match value:
                    case ast.Name(parameter) if annotation := parameters.get(parameter):
                        kind = ast.unparse(annotation)
                    case ast.Call(ast.Name(made)) if made[0].isupper():
                        kind = made
                    case ast.Constant(constant):
                        kind = type(constant).__name__
                    case _:
                        kind = "str"
                text += f"    @property\n    def {name}(self) -> {kind}: ...\n"
    return text


def _names(module: object) -> list[tuple[str, str]]:
    """The names that a module imports or defines, each with the module it comes from."""
    assert inspect.ismodule(module)
    tree = ast.parse(inspect.getsource(module))
    found = [
        (alias.name, str(node.module))
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    return found + [
        (node.targets[0].id, module.__name__)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]


if __name__ == "__main__":
    PLACE.write_text(module(), "utf-8")
