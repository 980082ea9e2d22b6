"""Which files are tests, by their names."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

_TEST_FOLDERS = ("/test/", "/tests/", "/__tests__/", "/spec/", "/specs/")

_TESTS = (
    "test_*.*", "*_test.*", "*_tests.*", "*.test.*", "*.spec.*", "*_spec.*", "*Test.*", "*Tests.*",
    "*TestCase.*", "conftest.py",
)  # fmt: skip


@lru_cache(maxsize=4096)
def is_test(path: str) -> bool:
    """Whether the file with this path is a test, or helps tests."""
    name = path.rpartition("/")[2]
    if any(folder in f"/{path}" for folder in _TEST_FOLDERS):
        return True
    return any(fnmatchcase(name, one) for one in _TESTS)
