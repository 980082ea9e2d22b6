"""Which files are tests, and which tests may depend on, by their names."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

from oh_tui.text.patterns import pattern

_TEST_FOLDERS = ("/test/", "/tests/", "/__tests__/")

_SPEC_FOLDERS = ("/spec/", "/specs/")
_OF_SPECS = (".rb", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".coffee")
"""Languages that keep tests there; others keep what a project or an API is to be."""

_TESTS = (
    "test_*.*", "*_test.*", "*_tests.*", "*.test.*", "*.spec.*", "*_spec.*", "*Test.*", "*Tests.*",
    "*TestCase.*", "conftest.py",
)  # fmt: skip


@lru_cache(maxsize=4096)
def is_test(path: str) -> bool:
    """Whether the file with this path is a test, or helps tests."""
    name = path.rpartition("/")[2]
    place = f"/{path}"
    if any(folder in place for folder in _TEST_FOLDERS):
        return True
    if name.endswith(_OF_SPECS) and any(folder in place for folder in _SPEC_FOLDERS):
        return True
    return any(fnmatchcase(name, one) for one in _TESTS)


_NO_CODE = pattern(
    r".{1,255}\.(?:adoc|bak|diff|gif|jpe?g|log|md|orig|out|patch|pdf|png|py[co]|rst|svg|tmp|txt)"
    r"|AUTHORS|CHANGELOG|LICEN[CS]E|NEWS|NOTICE|README|nohup\.out|\.coverage|\.gitignore"
)
_CODE = pattern(r"(?:.{0,80}require.{0,80}|.{0,80}constraints.{0,80}|CMakeLists)\.txt")
_CACHES = (
    "/.git/", "/.mypy_cache/", "/.pytest_cache/", "/.ruff_cache/", "/__pycache__/", "/htmlcov/",
)  # fmt: skip


@lru_cache(maxsize=4096)
def is_code(path: str) -> bool:
    """Whether tests may depend on a file: notes, logs, pictures, differences and caches are none
    of it, whatever is in them."""
    name = path.rpartition("/")[2]
    if any(cache in f"/{path}/" for cache in _CACHES):
        return False
    return bool(_CODE.fullmatch(name)) or not _NO_CODE.fullmatch(name)
