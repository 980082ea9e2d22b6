"""What failed: the line that names an error, what joins, what does not, and what helped."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.findings.failure_signatures.call_signatures import LONGEST_LINE, normal_line
from oh_tui.trajectory.findings.failure_signatures.failed_steps import AGAIN, Failure, failures_of
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.steps import FAILED
from oh_tui.trajectory.model.tool_use import bounded
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.error_lines import TABLE, error_line
from tests.demo_runs import SLUGS, demo_run
from tests.trajectory.made import call, failure, output, result, shell


def run(events: Sequence[Event]) -> Trajectory:
    one = Trajectory()
    one.extend(events)
    return one


NAMED = {
    "pytest": (
        "___ test_a[3] ___\n\nE   assert 1 == 2\nE    +  where 1 = f()\n",
        ("AssertionError", "assert 1 == 2 in test_a"),
    ),
    "pytest, raised": ("E   a.b.OddError: no date\n\na.py:3: OddError", ("OddError", "no date")),
    "pytest, summed": ("FAILED tests/t.py::test_b - KeyError: 'x'\n1 failed", ("KeyError", "'x'")),
    "python": (
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    f()\n'
        "a.errors.Odd: not so\nmore\n",
        ("Odd", "not so"),
    ),
    "python, bare": (
        'Traceback (most recent call last):\n  File "t.py", line 3, in test_a\n    check(1)\n'
        '  File "t.py", line 1, in check\n    assert one == two  # not so\n           ^^^^\n'
        "AssertionError\n",
        ("AssertionError", "assert one == two in test_a"),
    ),
    "python, without its source": (
        'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\n'
        "KeyboardInterrupt\n",
        ("KeyboardInterrupt", ""),
    ),
    "python, printed between": (
        'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nTest 1: a b\n'
        "    f()\na.errors.OddError: not so\n",
        ("OddError", "not so"),
    ),
    "python, of a module": (
        "Traceback (most recent call last):\n  x\nre.error: missing )\n",
        ("re.error", "missing )"),
    ),
    "python, a group": (
        "  + Exception Group Traceback (most recent call last):\n  |   x\n"
        "  | ExceptionGroup: all (1 sub-exception)\n  +-+------ 1 ------\n"
        "    | Traceback (most recent call last):\n    |   y\n    | KeyError: 1\n",
        ("KeyError", "1"),
    ),
    "python, passed on by pip": (
        "  error: subprocess-exited-with-error\n  ╰─> [4 lines of output]\n"
        "      Traceback (most recent call last):\n        x\n      KeyError: 1\n",
        ("KeyError", "1"),
    ),
    "python, passed on by docker": (
        "#9 0.4 Traceback (most recent call last):\n#9 0.5   x\n#9 0.5 KeyError: 1\n"
        "ERROR: failed to solve: exit code: 1",
        ("KeyError", "1"),
    ),
    "python, no module": (
        "/opt/py/bin/python3.9: No module named pytest\n",
        ("ModuleNotFoundError", "No module named 'pytest'"),
    ),
    "python itself": (
        "python3: can't open file 'a.py': [Errno 2] No such file or directory\n",
        ("", "can't open file 'a.py': [Errno 2] No such file or directory"),
    ),
    "python, unittest, values": (
        "FAIL: test_x (t.T)\n---\nTraceback (most recent call last):\n"
        '  File "t.py", line 3, in test_x\n    self.assertEqual(1, 2)\nAssertionError: 1 != 2\n',
        ("AssertionError", "1 != 2 in test_x"),
    ),
    "python, chained": (
        "Traceback (most recent call last):\n  x\nKeyError: 1\n\nDuring handling of the above "
        "exception, another exception occurred:\n\nTraceback (most recent call last):\n  y\n"
        "ValueError: two\n",
        ("ValueError", "two"),
    ),
    "python, unittest": (
        "ERROR: test_x (t.T)\n----\nTraceback (most recent call last):\n  x\nKeyError: 1\n\n"
        "ERROR: test_y (t.T)\n----\nTraceback (most recent call last):\n  y\nOSError: 2\n",
        ("KeyError", "1"),
    ),
    "exception, syntax": (
        '  File "a.py", line 1\n    if\n      ^\nSyntaxError: invalid syntax\n',
        ("SyntaxError", "invalid syntax"),
    ),
    "pytest, bare": (
        "    def test_a():\n>       raise NotImplementedError\nE       NotImplementedError\n",
        ("NotImplementedError", "raise NotImplementedError"),
    ),
    "pytest, not found": (
        "collecting ... ERROR: not found: /w/t.py::T::test_a\n(no match in any of [])\n",
        ("", "not found: /w/t.py"),
    ),
    "vitest": (
        " FAIL  src/a.test.ts > adds\nAssertionError: expected 1 to be 2\n",
        ("AssertionError", "adds"),
    ),
    "tsc": (
        "src/a.ts(3,5): error TS2304: Cannot find name 'x'.",
        ("TS2304", "Cannot find name 'x'."),
    ),
    "tsc, pretty": (
        "a.ts:3:5 - error TS2304: Cannot find name 'x'.",
        ("TS2304", "Cannot find name 'x'."),
    ),
    "cargo test": (
        "thread 'a' panicked at src/lib.rs:3:5:\nassertion failed: x\n",
        ("a", "assertion failed: x"),
    ),
    "cargo test, a build script": (
        "error: failed to run custom build command for `a-sys v0.9.1`\n  --- stderr\n"
        "  thread 'main' panicked at /c/a-sys-0.9.1/build.rs:7:5:\n\n\n  Could not find OpenSSL\n",
        ("", "Could not find OpenSSL"),
    ),
    "cargo test, old": (
        "thread 'main' panicked at '\n\nno pkg-config', build.rs:1:2\n",
        ("", "no pkg-config"),
    ),
    "rustc": (
        "   Compiling a v0.1.0\nerror[E0425]: cannot find value `x` in this scope\n --> a.rs:1:2\n"
        "error: could not compile `a`",
        ("E0425", "cannot find value `x` in this scope"),
    ),
    "cmake": (
        "CMake Error at CMakeLists.txt:3 (find_package):\n  Could not find Boost\n\n"
        'See also "/b/CMakeOutput.log".',
        ("", "Could not find Boost"),
    ),
    "cmake, one line": (
        'CMake Error: no compiler\nSee also "/b/CMakeOutput.log".',
        ("", "no compiler"),
    ),
    "eslint": (
        "/w/a.js\n  3:7  error  'x' is never used  no-unused-vars\n\n✖ 1 problem (1 error)",
        ("no-unused-vars", "'x' is never used"),
    ),
    "ruff": (
        "a.py:1:8: F401 [*] `os` imported but unused\nFound 1 error.",
        ("F401", "`os` imported but unused"),
    ),
    "gcc, a symbol": (
        "A.java:3: error: cannot find symbol\n    Foo f;\n    ^\n  symbol:   class Foo\n",
        ("cannot find symbol", "class Foo"),
    ),
    "gcc": ("a.c: In function 'main':\na.c:3:5: error: 'x' undeclared\n", ("", "'x' undeclared")),
    "gcc, linked": (
        "/usr/bin/ld: a.o: in function `main':\na.c:(.text+0x5): undefined reference to `f'",
        ("", "undefined reference to `f'"),
    ),
    "go": ("# x\n./a.go:3:5: undefined: y\n", ("", "undefined: y")),
    "go, panic": (
        "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\n",
        ("panic", "runtime error: index out of range"),
    ),
    "go, a test": ("--- FAIL: TestA (0.0s)\n    a_test.go:3: got 1\nFAIL\n", ("", "TestA")),
    "gradle": (
        "* What went wrong:\nExecution failed for task ':a'.\n> no such thing\n",
        ("", "no such thing"),
    ),
    "java": (
        'Exception in thread "main" java.lang.IllegalStateException: shut\n\tat A.main(A.java:3)',
        ("IllegalStateException", "shut"),
    ),
    "jest": ("  ● guard › refuses 3\n\n    expect(received)", ("", "refuses 3")),
    "jest, a suite": (
        "  ● Test suite failed to run\n\n    no x\n\n  ● a › b\n    TypeError: no\n",
        ("", "b"),
    ),
    "jest, a module": (
        "  ● Test suite failed to run\n\n    Cannot find module 'x'\n",
        ("", "Cannot find module 'x'"),
    ),
    "exception, node": (
        "/a.js:1\nx\n^\n\nReferenceError: x is not defined\n    at Object.<anonymous> (/a.js:1:1)",
        ("ReferenceError", "x is not defined"),
    ),
    "pip": (
        "ERROR: Could not find a version that satisfies the requirement x "
        "(from versions: 1, 2)\n"
        "ERROR: No matching distribution found for x",
        ("", "Could not find a version that satisfies the requirement x"),
    ),
    "pip, no network": (
        "WARNING: Retrying (Retry(total=4)) after connection broken by 'E('<x>: Failed: "
        "[Errno -3] Temporary failure in name resolution')': /simple/x/\n"
        "ERROR: Could not find a version that satisfies the requirement x",
        ("", "[Errno -3] Temporary failure in name resolution"),
    ),
    "apt": (
        "Reading package lists...\nE: Unable to locate package x",
        ("", "Unable to locate package x"),
    ),
    "docker": (
        "docker: Error response from daemon: No such image: x.\nSee 'docker run --help'.",
        ("", "Error response from daemon: No such image: x."),
    ),
    "curl": ("curl: (6) Could not resolve host: x.y", ("curl 6", "Could not resolve host: x.y")),
    "curl, status": (
        "curl: (22) The requested URL returned error: 404",
        ("HTTP 404", "The requested URL returned error: 404"),
    ),
    "HTTP": ("HTTP/1.1 503 Service Unavailable\nx: y", ("HTTP 503", "Service Unavailable")),
    "HTTP, wget": ("2026-01-01 10:00:00 ERROR 404: Not Found.", ("HTTP 404", "Not Found.")),
    "uv": (
        "  × No solution found when resolving dependencies:\n  ╰─▶ Because x was not found",
        ("", "Because x was not found"),
    ),
    "git": ("fatal: not a git repository", ("fatal", "not a git repository")),
    "git, rejected": (
        "To x\n ! [rejected]  main -> main (fetch first)\nerror: failed to push some refs",
        ("", "[rejected]  main -> main (fetch first)"),
    ),
    "git, conflict": (
        "Auto-merging a\nCONFLICT (content): Merge conflict in a\nAutomatic merge failed",
        ("content", "Merge conflict in a"),
    ),
    "npm": (
        'npm error Missing script: "x"\nnpm error\nnpm error A complete log of this run',
        ("", 'Missing script: "x"'),
    ),
    "npm, code": (
        "npm ERR! code E404\nnpm ERR! 404 Not Found - GET https://r.org/x\n",
        ("E404", "Not Found - GET https://r.org/x"),
    ),
    "patch": (
        "patch: **** malformed patch at line 3:   x\n\npatching file a.py\n",
        ("", "malformed patch"),
    ),
    "patch, a hunk": (
        "Hunk #2 FAILED at 3.\n1 out of 2 hunks FAILED -- saving",
        ("hunk", "FAILED"),
    ),
    "ruby": ("a.rb:3:in `<main>': no x (NameError)\n\tfrom a.rb:1", ("NameError", "no x")),
    "bash, killed": ("x\na.sh: line 3:   712 Killed   python\n", ("", "712 Killed   python")),
    "system": (
        "a.txt\nls: cannot access 'b': No such file or directory\nsrc:\nc.py\n",
        ("", "ls: cannot access 'b': No such file or directory"),
    ),
    "FAIL": ("ok 1\n✗ FAILED: no week\nSome failed\n", ("", "no week")),
    "bash": ("bash: line 1: foo: command not found", ("command not found", "foo")),
    "bash, dash": ("/bin/sh: 1: foo: not found", ("command not found", "foo")),
    "bash, zsh": ("zsh: command not found: foo", ("command not found", "foo")),
    "error:, PHP": ("PHP Fatal error:  no f() in a.php:3\nStack", ("", "no f() in a.php:3")),
    "error:": ("error: pathspec 'x' did not match", ("", "pathspec 'x' did not match")),
    "tar": (
        "tar: a.tar: Cannot open: No such file\ntar: Error is not recoverable: exiting now",
        ("", "a.tar: Cannot open: No such file"),
    ),
    "make": (
        "make: *** No rule to make target 'x'.  Stop.",
        ("", "No rule to make target 'x'.  Stop."),
    ),
    "make, of GNU": ("a: bad\ngmake[1]: *** [Makefile:2: all] Error 1\n", ("", "a: bad")),
    "make, in parallel": (
        "make: *** Waiting for unfinished jobs....\na: bad\nmake: *** [M:2: a] Error 1",
        ("", "a: bad"),
    ),
    "the rest": ("one\ntwo\n\n", None),
    "nothing": ("\n \n", None),
}
"""Outputs, and the kind and the line that are found in them."""


@pytest.mark.parametrize("case", NAMED)
def test_the_line_that_names_the_error_is_found(case: str) -> None:
    text, told = NAMED[case]
    assert error_line(text) == told


def test_each_row_of_the_table_has_a_case() -> None:
    assert set(TABLE) <= {case.partition(",")[0] for case in NAMED}


def test_a_traceback_counts_before_what_passes_it_on() -> None:
    cause = NAMED["python"][0]
    for after in ("make: *** [Makefile:2: test] Error 1", "npm ERR! code ELIFECYCLE", "error: x"):
        assert error_line(f"{cause}{after}\n") == NAMED["python"][1]


LINES = st.text(st.sampled_from("ab/\\.:~ 0123456789-#'\"`’«_x@,()\tE\n[]%sh?=") | st.characters())


@given(LINES)
def test_normalising_twice_changes_nothing(line: str) -> None:
    once = normal_line(line)
    assert normal_line(once) == once
    assert len(once) <= LONGEST_LINE


JOINED = [
    ("no file /workspace/a/b.py", "no file /home/me/x/b.py"),
    ("no file src/a/b.py", "no file ./b.py"),
    ("no file C:\\Users\\me\\b.py", "no file b.py"),
    ("exit after 12.5 s", "exit after 9 s"),
    ("expected 3, got -4", "expected 17, got 5"),
    ("cannot find ‘x’", "cannot find 'x'"),
    ("cannot find `x`", 'cannot find "x"'),
    ("object at 0x7f3a00ff", "object at 0x10"),
    ("unknown commit 9c41d07", "unknown commit 1f00ba2"),
    ("run 550e8400-e29b-41d4-a716-446655440000", "run 123e4567-e89b-12d3-a456-426614174000"),
    ("at 2026-03-09T13:29:00Z: gone", "at 2025-01-01 10:00: gone"),
    ("port 8080: in use", "port 49152: in use"),
    ("GET https://a.org/x/1?q=2 failed", "GET https://a.org/y failed"),
    ("[1, 2, 3] is long", "[1, 2] is long"),
    ("in /tmp/tmpab12cd", "in /tmp/tmpzz99yy"),
    ("too  many\tspaces", "too many spaces"),
    ("no file a/b.py", "no file c/d.toml"),
    ("/w/a.py: gone", "/home/me/b/c: gone"),
    ("The path /w/a.py. It", "The path src/b.py. It"),
    ("error in a.py", "error in b_test.ts"),
    ("cat: a: No such file or directory", "cat: b/c: No such file or directory"),
    ("rm: cannot remove 'a b': Is a directory", "rm: cannot remove './c': Is a directory"),
    ("No such file or directory: 'a'", "No such file or directory: '/b/c'"),
    ("pathspec 'a' did not match", "pathspec 'b/c.py' did not match"),
    ("needs x==1.2.3", "needs x==2.0.0rc1"),
    ("needs v1.2", "needs 20.11.0"),
    ("pytest-7.4.0 is old", "pytest-8.0.0.dev1 is old"),
    ("==== 3 passed ====", "===== 12 passed ====="),
    ("100% of 5 MB", "7% of 12 kB".replace("kB", "KB")),
]

APART = [
    ("No module named 'numpy'", "No module named 'pandas'"),
    ("No module named 'lxml.html'", "No module named 'lxml.c'"),
    ("cannot import name 'x' from 'a.js'", "cannot import name 'x' from 'b.js'"),
    ("module github.com/a/b.v2 is missing", "module github.com/a/c.v2 is missing"),
    ("Cannot find module 'react-dom/client'", "Cannot find module 'react-dom/server'"),
    ("openssl/ssl.h: No such file or directory", "Python.h: No such file or directory"),
    ("libGL.so.1: cannot open shared", "libX11.so.6: cannot open shared"),
    ("cannot find -lssl: No such file or directory", "cannot find -lz: No such file or directory"),
    ("needs Node.js", "needs Vue.js"),
    ("sed: can't read a: b", "sed: can't write a: b"),
    ("KeyError: 'id'", "KeyError: 'name'"),
    ("unknown option -x", "unknown option -y"),
    ("needs python3", "needs python2"),
    ("read and/or write", "read or write"),
    ("GET https://a.org/x", "GET https://b.org/x"),
    ("utf-8 is odd", "utf-16 is odd"),
    ("expected int", "expected str"),
]


@pytest.mark.parametrize(("one", "other"), JOINED)
def test_the_same_error_elsewhere_is_the_same_line(one: str, other: str) -> None:
    assert normal_line(one) == normal_line(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_another_error_is_another_line(one: str, other: str) -> None:
    assert normal_line(one) != normal_line(other)


# outputs of the programs on this machine


def failed(text: str, code: int = 1, command: str = "x") -> Failure:
    [one] = failures_of(run([shell("a", command), output("a", text, code)]))
    return one.failure


def _environment() -> dict[str, str]:
    """With the compilers that rustup keeps in the home, which tests do not have."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    return {"RUSTUP_HOME": str(home / ".rustup"), "CARGO_HOME": str(home / ".cargo")} | os.environ


def ran(folder: Path, script: str, files: Mapping[str, str] = {}) -> Failure:
    """What fails when bash runs this in a folder with these files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not here")
    done = subprocess.run(
        [bash, "-c", script],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode
    return failed(done.stdout + done.stderr, done.returncode, script)


PYTEST = f"'{sys.executable}' -m pytest -q -p no:cacheprovider t_it.py"
PYTHON = f"'{sys.executable}' a.py"
A_TEST = "def test_it():\n    "
ARGUMENTS = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--n', type=int)\n"
CASE = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): "

REAL = {
    "pytest, values": (
        "pytest",
        PYTEST,
        A_TEST + "assert 4 == 3",
        A_TEST + "\n    assert 5 == 7",
        A_TEST + "assert 'a' == 'b'",
    ),
    "pytest, raised": (
        "pytest",
        PYTEST,
        A_TEST + "raise OSError('no 1')",
        A_TEST + "x = 1\n    raise OSError('no 2')",
        A_TEST + "raise KeyError('no 1')",
    ),
    "pytest, import": ("pytest", PYTEST, "import nix_da", "\n\nimport nix_da", "import nix_hier"),
    "python, raised": (
        "python",
        PYTHON,
        "raise ValueError('3 is odd')",
        "x = 2\nraise ValueError('5 is odd')",
        "raise ValueError('3 is even')",
    ),
    "python, chained": (
        "python",
        PYTHON,
        "try: 1/0\nexcept Exception: {}['x']",
        "try: int('a')\nexcept Exception: {}['x']",
        "try: {}['x']\nexcept Exception: 1/0",
    ),
    "exception, syntax": ("python", PYTHON, "if", "x = 1\nif", "x = ("),
    "python, a file": (
        "python",
        PYTHON,
        "open('/nix/1/da')",
        "open('/nix/hier/dort.csv')",
        "open('/')",
    ),
    "unittest": (
        "python",
        f"'{sys.executable}' -m unittest -q a.py",
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.fail('no 1')",
        "import unittest\n\nclass T(unittest.TestCase):\n    def test_b(self): self.fail('no 2')",
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.fail('yes')",
    ),
    "make, target": ("make", "make -f a.py", "all: nix1.o", "all: other.c\n", "all: other"),
    "make, command": (
        "make",
        "make -f a.py",
        "all:\n\t@exit 3",
        "\n\nall:\n\t@exit 4",
        "all:\n\t@nix_da_command",
    ),
    "gcc": (
        "gcc",
        "gcc -x c a.py",
        "int main(){return x;}",
        "\n\nint main(){\n return x;}",
        "int main(){return y;}",
    ),
    "rustc": (
        "rustc",
        "rustc --crate-name a a.py",
        "fn main(){x;}",
        "\n\nfn main(){ x;}",
        "fn main(){y;}",
    ),
    "exception, node": ("node", "node a.py", "x.y", "\n\nx.z", "y.z"),
    "bash, missing": ("bash", "bash a.py", "nix_da 1", "\nnix_da 2", "nix_hier 1"),
    "bash, a file": ("bash", "bash a.py", "cat /nix/1/da", "\ncat /nix/2/dort", "cat /"),
    "bash, syntax": ("bash", "bash a.py", "if", "\nif", "fi"),
    "python, arguments": (
        "python",
        PYTHON,
        ARGUMENTS + "p.parse_args(['--n', 'x'])",
        ARGUMENTS + "p.add_argument('-m')\np.parse_args(['--n', 'x'])",
        ARGUMENTS + "p.parse_args(['--nix'])",
    ),
    "python, JSON": (
        "python",
        PYTHON,
        "import json; json.loads('{1')",
        "import json; json.loads('{\"a\": 1, 23')",
        "import json; json.loads('')",
    ),
    "python, a module": (
        "bash",
        "bash a.py",
        f"'{sys.executable}' -m nix_da",
        f"'{sys.executable}' -q -m nix_da 1",
        f"'{sys.executable}' -m nix_hier",
    ),
    "python, exit": (
        "python",
        PYTHON,
        "raise SystemExit('no 3 of 4')",
        "x = 1\nraise SystemExit('no 10 of 12')",
        "raise SystemExit('all 3 of 4')",
    ),
    "pytest, a fixture": (
        "pytest",
        PYTEST,
        "def test_it(nix_da): pass",
        "\n\ndef test_it(nix_da): pass",
        "def test_it(nix_hier): pass",
    ),
    "pytest, no tests": ("pytest", PYTEST, "x = 1", "x = 2", A_TEST + "assert 0"),
    "unittest, values": (
        "python",
        f"'{sys.executable}' -m unittest -q a.py",
        CASE + "self.assertEqual(1, 2)",
        "\n" + CASE + "self.assertEqual(3, 4)",
        CASE + "self.assertIn('a', [])",
    ),
    "gcc, linked": (
        "gcc",
        "gcc -x c a.py",
        "int f();int main(){return f();}",
        "\n\nint f();int main(){\nreturn f();}",
        "int g();int main(){return g();}",
    ),
    "gcc, a header": (
        "gcc",
        "gcc -x c a.py",
        "#include <nix_da.h>",
        "\n#include <nix_da.h>",
        "#include <nix_hier.h>",
    ),
    "g++": (
        "g++",
        "g++ -x c++ a.py",
        "int main(){return x;}",
        "\n\nint main(){ return x;}",
        "int main(){return y;}",
    ),
    "rustc, types": (
        "rustc",
        "rustc --crate-name a a.py",
        'fn main(){let _a: u8 = "x";}',
        'fn main(){\nlet _b: u8 = "y";}',
        "fn main(){let _a: u8 = x;}",
    ),
    "rustc, a panic": (
        "rustc",
        "rustc --crate-name a -o a a.py && ./a",
        'fn main(){panic!("no 1")}',
        '\nfn main(){panic!("no 2")}',
        'fn main(){panic!("all 1")}',
    ),
    "cargo": (
        "cargo",
        "mkdir src; cp a.py src/main.rs; printf '[package]\nname=\"a\"\n' > Cargo.toml;"
        " cargo build --offline",
        "fn main(){x;}",
        "\n\nfn main(){ x;}",
        "fn main(){y;}",
    ),
    "node, thrown": (
        "node",
        "node a.py",
        "throw new TypeError('no 1')",
        "\nthrow new TypeError('no 2')",
        "throw new RangeError('no 1')",
    ),
    "node, a module": (
        "node",
        "node a.py",
        "require('./nix_da')",
        "\nrequire('./nix_hier')",
        "require('nix_hier')",
    ),
    "node, syntax": ("node", "node a.py", "if (", "\nif (", "}"),
    "npm": (
        "npm",
        "cp a.py package.json; HOME=. npm_config_update_notifier=false npm run nix_da",
        '{"name": "a"}',
        '{"name": "b", "version": "1.2.3"}',
        "{",
    ),
    "make, syntax": (
        "make",
        "make -f a.py",
        "all:\n        x",
        "\n\nall:\n        y",
        "all:\n\t@exit 1",
    ),
    "make, an include": (
        "make",
        "make -f a.py",
        "include nix.mk",
        "\ninclude other.mk",
        "include",
    ),
    "cmake": (
        "cmake",
        "cmake -P a.py",
        'message(FATAL_ERROR "no 1")',
        '\nmessage(FATAL_ERROR "no 2")',
        'message(FATAL_ERROR "all 1")',
    ),
    "perl": ("perl", "perl a.py", "die 'no 1'", "\ndie 'no 2'", "die 'all 1'"),
    "curl": (
        "curl",
        "bash a.py",
        "curl -sS http://127.0.0.1:1/",
        "curl -sS http://127.0.0.1:2/x",
        "curl -sS nix://127.0.0.1/",
    ),
    "tar": ("tar", "bash a.py", "tar xf /nix/1/da", "tar xvf /nix/2/dort", "tar xf /"),
}
"""A program, how it is run, two files with the same error, and one with another."""


def works(program: str) -> bool:
    found = shutil.which(program)
    if found is None:
        return False
    done = subprocess.run(
        [found, "--version"], env=_environment(), capture_output=True, check=False
    )
    return not done.returncode


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("case", REAL)
def test_what_programs_write_joins_the_same_errors_alone(case: str, tmp_path: Path) -> None:
    program, script, *files = REAL[case]
    if program not in ("pytest", "python") and not works(program):
        pytest.skip(f"{program} is not here")
    name = "t_it.py" if program == "pytest" else "a.py"
    one, same, other = [
        ran(tmp_path / f"run{number}" / "work", script, {name: text})
        for number, text in enumerate(files)
    ]
    assert one == same and one.id == same.id
    assert one != other and one.id != other.id
    assert one.line


COLOURED = {
    "pytest": (PYTEST, f"{PYTEST} --color=yes", A_TEST + "assert 4 == 3"),
    "gcc": (
        "gcc -x c t_it.py",
        "gcc -fdiagnostics-color=always -x c t_it.py",
        "int main(){return x;}",
    ),
    "rustc": ("rustc t_it.py", "rustc --color always t_it.py", "fn main(){x;}"),
    "git": ("git checkout nix", "git -c color.ui=always checkout nix", ""),
}
"""A program without and with colours, and a file."""


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("program", COLOURED)
def test_colours_make_no_other_error(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if program != "pytest" and not works(program):
        pytest.skip(f"{program} is not here")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    *scripts, text = COLOURED[program]
    plain, coloured = [
        ran(tmp_path / f"run{number}", script, {"t_it.py": text})
        for number, script in enumerate(scripts)
    ]
    assert plain == coloured and plain.line


_MERGE = (
    "git init -q; echo {0} > a; git add a; git commit -qm a; git checkout -qb b; echo {1} > a; "
    "git commit -qam b; git checkout -q -; echo {2} > a; git commit -qam c; git merge b"
)
_PUSH = (
    "git init -q --bare r; git clone -q r x; git clone -q r y; "
    "cd x; git commit -qm {0} --allow-empty; git push -q origin HEAD; "
    "cd ../y; git commit -qm {1} --allow-empty; git push origin HEAD"
)

GIT = {
    "no repository": ("git status", "git log"),
    "no such branch": ("git init -q; git checkout nix", "git init -q .; git checkout nix"),
    "no such remote": ("git init -q; git fetch nix", "git init -q .; git fetch nix main"),
    "nothing there": ("git init -q; git log", "git init -q .; git log -3"),
    "a conflict": (_MERGE.format(1, 2, 3), _MERGE.format(4, 5, 6)),
    "rejected": (_PUSH.format("a", "b"), _PUSH.format("c", "d")),
    "no such file": ("git init -q; git add nix", "git init -q .; git add ./nix"),
    "no such command": ("git nix_da", "git nix_da -v"),
}


def test_what_git_writes_joins_the_same_errors_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shutil.which("git"):
        pytest.skip("git is not here")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "a")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@b.c")
    found = {
        case: {ran(tmp_path / f"{case} {n}", script) for n, script in enumerate(scripts)}
        for case, scripts in GIT.items()
    }
    assert {case: len(each) for case, each in found.items()} == dict.fromkeys(GIT, 1)
    assert len(set.union(*found.values())) == len(GIT)


# hostile outputs


LANGUAGES = (
    "Datei oder Verzeichnis nicht gefunden", "commande introuvable", "No existe el archivo",
    "文件不存在", "ファイルがありません", "파일이 없습니다", "Нет такого файла",
    "الملف غير موجود", "फ़ाइल नहीं मिली", "bash: dosya bulunamadı",
)  # fmt: skip


@pytest.mark.parametrize("text", LANGUAGES)
def test_errors_in_any_language_have_their_line(text: str) -> None:
    assert failed(f"x\n{text}\n").line == failed(f"y\n\x1b[31m{text}\x1b[0m\r\n").line
    assert failed(text) != failed("another")


ABROAD = {
    "German, bash": (
        "bash: Zeile 1: nix: Kommando nicht gefunden.",
        "bash: Zeile 27: nix: Kommando nicht gefunden.",
        "bash: Zeile 1: da: Kommando nicht gefunden.",
    ),
    "German, cat": (
        "cat: /nix/1/da: Datei oder Verzeichnis nicht gefunden",
        "cat: /nix/2/dort: Datei oder Verzeichnis nicht gefunden",
        "cat: /nix/1/da: Keine Berechtigung",
    ),
    "German, gcc": (
        "a.c:3:5: Fehler: »x« nicht deklariert\n    3 |     x;\n      |     ^",
        "b.c:14:9: Fehler: »x« nicht deklariert\n   14 |         x;\n      |         ^",
        "a.c:3:5: Fehler: »y« nicht deklariert\n    3 |     y;\n      |     ^",
    ),
    "German, make": (
        "nix: 3 Fehler\nmake: *** [Makefile:2: test] Fehler 1",
        "nix: 5 Fehler\nmake: *** [Makefile:4: test] Fehler 2",
        "da: 3 Fehler\nmake: *** [Makefile:2: test] Fehler 1",
    ),
    "German, git": (
        "Fehler: Pfadspezifikation 'nix' stimmt mit keinen Git-Dateien überein",
        "Fehler: Pfadspezifikation „nix“ stimmt mit keinen Git-Dateien überein",
        "Fehler: Pfadspezifikation 'da' stimmt mit keinen Git-Dateien überein",
    ),
    "French, bash": (
        "bash: ligne 1: nix : commande introuvable",
        "bash: ligne 9: nix : commande introuvable",
        "bash: ligne 1: da : commande introuvable",
    ),
    "French, gcc": (
        "a.c:3:5: erreur: «x» non déclaré\n    3 |     x;\n      |     ^",
        "a.c:31:5: erreur: «x» non déclaré\n   31 |   x;\n      |   ^",
        "a.c:3:5: erreur: «y» non déclaré\n    3 |     y;\n      |     ^",
    ),
    "French, git": (
        "fatal: ni ceci ni un de ses répertoires parents n'est un dépôt git : .git",
        "fatal: ni ceci ni un de ses répertoires parents n’est un dépôt git : .git",
        "fatal: votre branche courante 'main' ne contient encore aucun commit",
    ),
    "Japanese, bash": (
        "bash: 1 行: nix: コマンドが見つかりません",
        "bash: 12 行: nix: コマンドが見つかりません",
        "bash: 1 行: da: コマンドが見つかりません",
    ),
    "Japanese, gcc": (
        "a.c:3:5: エラー: 'x' が宣言されていません\n    3 |     x;\n      |     ^",
        "a.c:40:5: エラー: ‘x’ が宣言されていません\n   40 |     x;\n      |     ^",
        "a.c:3:5: エラー: 'y' が宣言されていません\n    3 |     y;\n      |     ^",
    ),
    "Chinese, gcc": (
        "a.c:3:5: 错误：‘x’未声明\n    3 |     x;\n      |     ^",
        "b.c:7:1: 错误：‘x’未声明\n    7 | x;\n      | ^",
        "a.c:3:5: 错误：‘y’未声明\n    3 |     y;\n      |     ^",
    ),
    "Russian, make": (
        "make: *** Нет правила для сборки цели «nix».  Останов.",
        "make[2]: *** Нет правила для сборки цели 'nix'.  Останов.",
        "make: *** Нет правила для сборки цели «da».  Останов.",
    ),
}
"""Two outputs in another language that tell the same, and one that does not."""


@pytest.mark.parametrize("case", ABROAD)
def test_the_same_error_in_another_language_is_one(case: str) -> None:
    one, same, other = map(failed, ABROAD[case])
    assert one == same != other
    assert one == failed(f"\x1b[1m\x1b[31m{ABROAD[case][0]}\x1b[0m\r\n\n")


@pytest.mark.parametrize(
    "piece", ["x", "E   ", "Error: ", "a/", "./a.go:1: ", "\x1b[31m", "1, ", "(("]
)
def test_a_line_of_a_megabyte_is_bounded(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    assert len(bounded(text)) <= 40_001
    one = failed(text)
    assert len(one.line) <= LONGEST_LINE
    if piece not in ("E   ", "Error: ", "./a.go:1: "):  # which name an error themselves
        cause = "Traceback (most recent call last):\nKeyError: 1"
        assert failed(f"{cause}\n{text}").kind == "KeyError"
        assert failed(f"{text}\nbash: nix: command not found").line == "nix"


def test_a_result_that_tells_nothing_is_named_by_its_program() -> None:
    assert failed("", 1, "cd /w && test -f a") == ("terminal", "exit 1", "test: no output")
    assert failed("", 1, "python3 a.py").line == failed("", 1, "python b.py").line
    note = "[Command finished with exit code 1]"
    assert failed(note, 1, "test -f a").line == "test: no output"


@pytest.mark.parametrize(
    ("command", "code", "line"),
    [
        ("grep a b", 1, "grep: no match"),
        ("cat a | grep b", 1, "grep: no match"),
        ("find . | xargs grep -l a", 123, "grep: no match"),
        ("git grep a", 1, "git grep: no match"),
        ("cat a; rg b", 1, "rg: no match"),
        ("diff a b", 1, "diff: files differ"),
        ("grep a b", 2, "a line"),
        ("grep a b; python c.py", 1, "a line"),
    ],
)
def test_no_match_and_no_difference_are_no_errors(command: str, code: int, line: str) -> None:
    assert failed("a line", code, command).line == line


@pytest.mark.parametrize("text", ["E   KeyError", NAMED["python, without its source"][0]])
def test_an_error_that_tells_its_kind_alone_claims_no_empty_output(text: str) -> None:
    assert failed(text, 1, "pytest -q").line == "pytest"


def test_a_traceback_counts_before_no_match() -> None:
    assert failed(NAMED["python"][0], 1, "python a.py | grep b").kind == "Odd"


@pytest.mark.parametrize(
    ("text", "code", "command"),
    [
        ("", 124, "timeout 60 pytest -q"),
        ("collecting\nKeyError: 1", 124, "cd /w && timeout -k 5 9s pytest a"),
        ("The last command <command>pytest</command> timed out and has been killed.", 1, "pytest"),
        (
            "a\nAn error occurred while executing the command: Command '['docker', 'exec', 'x', "
            "'pytest']' timed out after 60 seconds",
            1,
            "pytest -x",
        ),
        ("The command 'pytest' was cancelled because it took more than 30 seconds.", 1, "pytest"),
    ],
)
def test_what_took_too_long_is_named_by_its_program(text: str, code: int, command: str) -> None:
    assert failed(text, code, command)[1:] == ("timed out", "pytest")


def test_a_program_that_ends_a_command_of_its_own_did_not_time_out() -> None:
    text = NAMED["python"][0].replace("a.errors.Odd: not so", "subprocess.TimeoutExpired: x")
    assert failed(text, 1, "python a.py").kind == "TimeoutExpired"


@pytest.mark.parametrize("kind", ["AgentErrorEvent", "ConversationErrorEvent", "ServerErrorEvent"])
@pytest.mark.parametrize("fields", [{}, {"error": None, "detail": None}])
def test_an_error_without_a_text_claims_no_empty_output(kind: str, fields: dict[str, None]) -> None:
    run = Trajectory()
    body = {"id": "e", "kind": kind, "source": "agent", "tool_name": "terminal", **fields}
    run.extend([parse_event(json.dumps(body).encode())])
    (found,) = failures_of(run)
    assert found.failure.line == "text not told"


@pytest.mark.parametrize(
    ("content", "line"),
    [([], "test: no output"), ("", "test: no output"), (None, "test: output not told")],
)
def test_no_output_is_told_by_an_empty_one_only(content: object, line: str) -> None:
    run = Trajectory()
    seen = {"kind": "TerminalObservation", "content": content, "exit_code": 1}
    run.extend([shell("a", "test -f a"), result("a", seen)])
    (found,) = failures_of(run)
    assert found.failure.line == line


def test_no_secret_is_in_a_line() -> None:
    told = failed("fatal: https://me:hunter2hunter2@github.com/x: token=ghp_" + "a1B2" * 9)
    assert "hunter2" not in str(told) and "ghp_a1B2" not in str(told)


# runs


PYTEST_FAILED = "FAILED tests/t.py::test_a - KeyError: 'x'"


def test_what_helped_is_the_last_call_before_the_same_one_worked() -> None:
    edit = {"kind": "FileEditorAction", "command": "str_replace", "path": "/w/a.py"}
    look = {"kind": "FileEditorAction", "command": "view", "path": "/w/a.py"}
    seen = {"kind": "FileEditorObservation"}
    events = [
        shell("a", "pytest -q"), output("a", PYTEST_FAILED, 1),
        shell("b", "pip install -e ."), output("b"),
        call("c", edit, tool="file_editor"), result("c", seen, tool="file_editor"),
        call("d", look, tool="file_editor"), result("d", seen, tool="file_editor"),
        shell("k", "cd /w && cat a.py | head"), output("k"),
        shell("e", "pytest  -q"), output("e"),
        shell("f", "nix"), output("f", "bash: nix: command not found", 127),
        shell("g", "nix"), output("g"),
        shell("h", "pytest -q"), output("h", "error: other", 1),
    ]  # fmt: skip
    told = [(one.failure.line, one.recovered, one.helped) for one in failures_of(run(events))]
    assert told == [("'x'", True, "edit /w/a.py"), ("nix", True, AGAIN), ("other", False, "")]


def test_a_run_recovered_if_its_last_failed_step_did() -> None:
    events = [
        shell("a", "pytest a"), output("a", PYTEST_FAILED, 1),
        shell("b", "pytest a"), output("b"),
        shell("c", "pytest b"), output("c", PYTEST_FAILED, 1),
    ]  # fmt: skip
    [one] = failures_of(run(events))
    assert (one.steps, one.example, one.recovered) == (2, 1, False)


def test_a_kind_that_begins_the_line_is_said_once() -> None:
    assert Failure("terminal", "rejected", "rejected: not now").words == "rejected: not now"
    assert Failure("terminal", "KeyError", "'id'").words == "KeyError: 'id'"


def test_a_call_that_was_not_run_tells_why() -> None:
    [one] = failures_of(run([shell("a"), failure("a", "Tool 'nix' not found. Available: x")]))
    assert one.failure[1:] == ("error", "Tool 'nix' not found. Available: x")


@pytest.mark.parametrize("slug", SLUGS)
def test_each_failed_step_of_the_demo_is_in_one_failure(slug: str) -> None:
    found = failures_of(told := demo_run(slug))
    assert sum(one.steps for one in found) == _failed(told)
    assert max(Counter(one.failure for one in found).values(), default=1) == 1


def _failed(one: Trajectory) -> int:
    return sum(one.outcome(step) in FAILED for step in one.steps)
