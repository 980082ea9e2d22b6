"""Writes oh_tui/api/sync.pyi from the asynchronous classes: python -m scripts.sync_stub"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

from oh_tui.api import sync
from oh_tui.api.agent_server import AgentServer
from oh_tui.api.app_server import AppServer, OpenHands
from oh_tui.api.bare_server import BareAgentServer
from oh_tui.api.sandbox_server import SandboxServer
from oh_tui.api.sandbox_service import SandboxService
from oh_tui.api.start_tasks import StartTasks

PLACE = Path(sync.__file__).with_suffix(".pyi")

HEAD = """\
\"\"\"Signatures of oh_tui.api.sync, written by scripts/sync_stub.py.\"\"\"

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Self
"""

PIECES = """\
class Pieces(Iterator[bytes]):
    size: int | None
    def __next__(self) -> bytes: ...
"""

CLOSING = """\
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
"""

CLASSES = (
    SandboxServer,
    AgentServer,
    SandboxService,
    StartTasks,
    AppServer,
    BareAgentServer,
    OpenHands,
)


SERVERS = (AppServer, BareAgentServer)
"""What is connected and closed."""


def stub() -> str:
    """The text of sync.pyi."""
    body = "\n".join([PIECES, *map(_class, CLASSES)])
    defined = {"Pieces", *(kind.__name__ for kind in CLASSES)}
    homes = dict(name for kind in CLASSES for name in _names(sys.modules[kind.__module__]))
    imports = [
        f"from {homes[name]} import {name}\n"
        for name in sorted(homes)
        if name not in defined and f" {name}\n" not in HEAD and re.search(rf"\b{name}\b", body)
    ]
    ruff = [sys.executable, "-m", "ruff"]
    text = HEAD + "".join(imports) + body
    for command in (["check", "--select=I", "--fix-only", "-q"], ["format", "-q"]):
        arguments = [*ruff, *command, "--stdin-filename", str(PLACE), "-"]
        text = subprocess.run(
            arguments, input=text, capture_output=True, text=True, check=True
        ).stdout
    return text


def _class(kind: type) -> str:
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    text = f"class {kind.__name__}{'(AppServer)' if kind is OpenHands else ''}:\n"
    for node in definition.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name == "__init__":
            text += "".join(f"    {name}: {of}\n" for name, of in _attributes(node).items())
        is_public = not node.name.startswith(("_", "aclose"))
        if is_public or (node.name == "__init__" and issubclass(kind, SERVERS)):
            text += f"    {_method(node)}\n"
    return text + (CLOSING if kind in SERVERS else "")


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The signature without `async`."""
    returns = ast.unparse(node.returns) if node.returns else "None"
    returns = returns.replace("AsyncIterator", "Iterator")
    if any("asynccontextmanager" in ast.unparse(mark) for mark in node.decorator_list):
        returns = re.sub(r"^Iterator\[(.*)\]$", r"AbstractContextManager[\1]", returns)
    return f"def {node.name}({ast.unparse(node.args)}) -> {returns}: ..."


def _attributes(init: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, str]:
    """The public attributes that `__init__` sets, with their types."""
    parameters = {argument.arg: argument.annotation for argument in init.args.args}
    found: dict[str, str] = {}
    for node in init.body:
        match node:
            case ast.Assign([ast.Attribute(ast.Name("self"), name)], value) if name[0] != "_":
                match value:
                    case ast.Name(parameter) if annotation := parameters.get(parameter):
                        found[name] = ast.unparse(annotation)
                    case ast.Call(ast.Name(kind)) if kind[0].isupper():
                        found[name] = kind
                    case ast.Constant(constant):
                        found[name] = type(constant).__name__
                    case _:
                        found[name] = "str"
    return found


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
    PLACE.write_text(stub(), "utf-8")
