"""Executes a module when one of its attributes is first used: a start loads what it needs.

    lazy.install()                                  # the program does, as its first act
    from oh_tui.commands.framework import reference    # found, not executed
    reference.completion("bash")                    # executed now
    from oh_tui.text.clean import clean             # one of its names: executed at once

Who imports oh_tui as a library gets ordinary imports. Python 3.15 has `lazy import` for the same.
importlib's LazyLoader lets a second thread see a module half executed before Python 3.11.8
(gh-114763), and executes all modules whenever one of them is imported again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from os.path import isfile
from threading import RLock
from types import ModuleType

LAZY = frozenset(
    {
        "oh_tui",
        # What our modules import at once and seldom use.
        "base64",
        "ctypes",
        "difflib",
        "gzip",
        "hashlib",
        "subprocess",
        "tarfile",
        "tempfile",
        "tomllib",
        "zipfile",
        # What others import at once and seldom use. Milliseconds of an empty Textual app's 150:
        "asyncio",  # 1.0 for TLS and what races connections; all its 35 where nothing is waited for
        "bz2",  # 0.6
        "ipaddress",  # 0.9
        "json",  # 1.1
        "lzma",  # 0.6
        "mimetypes",  # 0.4
        "msgspec",  # 1.3 for its schemas and other formats
        "regex",  # 24, which only patterns of the user need
        "ssl",  # 4.3
        "tokenize",  # 0.8
    }
)
"""Modules, and packages with all that is in them, that wait to be used."""

SIMPLE = frozenset({"oh_tui", "rich", "textual"})
"""Packages of nothing but Python files, which are found without the search that others need."""

_METADATA = frozenset(
    {"__class__", "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__"}
)
"""Attributes that do not execute the module: importing it again asks for them."""


class Waiting(ModuleType):
    """A module that is not executed yet, or is being executed."""

    def __getattribute__(self, name: str) -> object:
        if name not in _METADATA:
            _execute(self)
        return ModuleType.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        # importing a module sets it in its package; all else would be lost when that is executed
        if not isinstance(value, ModuleType):
            _execute(self)
        ModuleType.__setattr__(self, name, value)


class _Turn:
    """Lets one thread execute the module, which may come back to it while it does. Others wait:
    nobody waits for whoever waits for him, as long as imports go in no circles."""

    def __init__(self) -> None:
        self.lock, self.taken = RLock(), False


def _execute(module: ModuleType) -> None:
    spec = module.__spec__
    assert spec and isinstance(spec.loader, SourceFileLoader)
    package = sys.modules.get(spec.parent or "")
    if type(package) is Waiting and package is not module:
        _execute(package)  # it may import what is in it, and is the first to do so
    turn: _Turn = spec.loader_state
    with turn.lock:
        if turn.taken or type(module) is not Waiting:
            return
        turn.taken = True
        try:
            spec.loader.exec_module(module)
        except AttributeError as error:
            # `from module import name` and `hasattr` take one for the lack of that name
            raise ImportError(f"{spec.name} fails: {error}", name=spec.name) from error
        finally:
            turn.taken = False
        ModuleType.__setattr__(module, "__class__", ModuleType)


class _Loader:
    """Has a module wait for what the true loader does with it."""

    def __init__(self, loader: SourceFileLoader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> None:
        """As Python does."""

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        assert spec
        spec.loader = module.__loader__ = self._loader
        spec.loader_state = _Turn()
        module.__class__ = Waiting


class _Finder:
    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top, dot, _ = name.partition(".")
        spec = simple_spec(name, path) if dot and path and top in SIMPLE else None
        if top in LAZY:
            spec = spec or PathFinder.find_spec(name, path, target)
            if spec and type(spec.loader) is SourceFileLoader:
                spec.loader = _Loader(spec.loader)  # type: ignore[assignment]  # all asked of one
        return spec


def simple_spec(name: str, path: Sequence[str]) -> ModuleSpec | None:
    """Of a module that is a Python file in its package's first folder. Python looks for modules in
    C first and lists folders: for the 460 of a start that takes 5 ms more (measured)."""
    place = f"{path[0]}/{name.rpartition('.')[2]}"
    # a package first, as Python does: an older version may have left a file of the same name
    for file, folders in ((f"{place}/__init__.py", [place]), (f"{place}.py", None)):
        if isfile(file):  # noqa: PTH113  # pathlib takes as long as the search
            loader = SourceFileLoader(name, file)
            return spec_from_file_location(
                name, file, loader=loader, submodule_search_locations=folders
            )
    return None


def executed() -> Iterator[str]:
    """The names of the modules that do not wait."""
    return (name for name, module in sys.modules.items() if module and type(module) is not Waiting)


def install() -> None:
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
