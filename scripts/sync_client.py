"""Writes oh_tui/api/sync.py from the asynchronous classes: python -m scripts.sync_client"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import oh_tui.api
from oh_tui.api.agent_server import AgentServer
from oh_tui.api.app_server import AppServer, OpenHands
from oh_tui.api.bare_server import BareAgentServer
from oh_tui.api.git_providers import GitProviders
from oh_tui.api.sandbox_server import SandboxServer
from oh_tui.api.sandbox_service import SandboxService
from oh_tui.api.shared_server import SharedServer
from oh_tui.api.start_tasks import StartTasks

PLACE = Path(oh_tui.api.__file__).with_name("sync.py")

HEAD = '''\
"""The client for code without asyncio: scripts, a REPL, a notebook.

    from oh_tui.api.sync import OpenHands

    with OpenHands() as api:                # key and server from the environment
        for conversation in api.search_conversations(limit=5).items:
            print(conversation.id, conversation.title)

Each class has the methods of its namesake in `oh_tui.api`, which wait for the answer: a coroutine
becomes a call, an asynchronous iterator an iterator, an asynchronous context manager a context
manager. Written by scripts/sync_client.py.
"""

# mypy: disable-error-code="no-any-return"

from collections.abc import Iterator
from contextlib import AbstractContextManager
from oh_tui.api import agent_server, app_server, bare_server, git_providers
from oh_tui.api import sandbox_server, sandbox_service, shared_server, start_tasks
from oh_tui.api.blocking import Blocking, Listing, Pieces, Server
'''

CLASSES = (
    SandboxServer,
    AgentServer,
    SandboxService,
    StartTasks,
    GitProviders,
    AppServer,
    BareAgentServer,
    OpenHands,
    SharedServer,
)
"""Each after those that it returns."""


def module() -> str:
    """The text of sync.py."""
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
    of = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
    text = f"class {kind.__name__}({base}, of={of}):\n{_docstring(definition)}\n"
    for node in definition.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name == "__init__":
            text += _init(node) if is_server else ""
            text += _attributes(node)
        elif not node.name.startswith(("_", "aclose")):
            text += _method(node)
    return text


def _init(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    head = f"    def __init__({ast.unparse(node.args)}) -> None:\n"
    return f"{head}{_docstring(node, 8)}        self._start({_passed(node)})\n\n"


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The method without `async`; a property as one."""
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    returns = ast.unparse(node.returns) if node.returns else "None"
    returns = returns.replace("AsyncIterator", "Iterator").replace("NoReturn", "None")
    if any("asynccontextmanager" in mark for mark in marks):
        returns = re.sub(r"^Iterator\[(.*)\]$", r"AbstractContextManager[\1]", returns)
    arguments = ", ".join(filter(None, (repr(node.name), _passed(node))))
    is_property = "property" in marks
    mark = "    @property\n" if is_property else ""
    return (
        f"{mark}    def {node.name}({ast.unparse(node.args)}) -> {returns}:\n{_docstring(node, 8)}"
        f"        return self.{'_get' if is_property else '_call'}({arguments})\n\n"
    )


def _passed(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The arguments of a method, handed on."""
    names = [argument.arg for argument in node.args.args[1:]]
    names += [f"{argument.arg}={argument.arg}" for argument in node.args.kwonlyargs]
    names += [f"**{node.args.kwarg.arg}"] if node.args.kwarg else []
    return ", ".join(names)


def _docstring(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, depth: int = 4) -> str:
    text = ast.get_docstring(node)
    return _quoted(text, depth) if text else ""


def _quoted(text: str, depth: int) -> str:
    text = re.sub(r"\basync (with|for)\b", r"\1", text)
    opened = indent(f'"""{text}', " " * depth)
    return f'{opened}{_end(text, depth)}"""\n'


def _end(text: str, depth: int) -> str:
    """A docstring of several paragraphs ends on a line of its own."""
    return f"\n{' ' * depth}" if "\n\n" in text else ""


def _attributes(init: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The public attributes that `__init__` sets, as properties."""
    parameters = {argument.arg: argument.annotation for argument in init.args.args}
    text = ""
    for node, following in zip(init.body, [*init.body[1:], None], strict=True):
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
                match following:
                    case ast.Expr(ast.Constant(str(said))):
                        doc = _quoted(inspect.cleandoc(said), 8)
                    case _:
                        doc = ""
                text += f"    @property\n    def {name}(self) -> {kind}:\n{doc}"
                text += f"        return self._get({name!r})\n\n"
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
