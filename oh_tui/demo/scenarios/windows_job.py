"""A run that came to its limit of steps, each of them a push and a wait for CI."""

from __future__ import annotations

from oh_tui.demo.run import Run
from oh_tui.demo.tools import edit, mcp, shell, view

WORKFLOW = """\
name: test
on: [push, pull_request]
jobs:
  test:
    strategy:
      matrix:
        os: [ubuntu-24.04, windows-2025]
    runs-on: ${{ matrix.os }}
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-go@v6
        with:
          go-version: "1.25"
      - run: go test ./...
"""

WINDOWS_LOG = """\
--- FAIL: TestRotate (0.03s)
    rotate_test.go:23: rename logs\\app.log logs\\app.log.1: The process cannot access the file
        because it is being used by another process.
FAIL
FAIL    github.com/acme/logkeep/rotate  {seconds}s
"""

ROTATE = """\
package rotate

import "os"

// Rotate moves the log at path out of the way and opens a new one.
func (w *Writer) Rotate() error {
	if err := os.Rename(w.path, w.path+".1"); err != nil {
		return err
	}
	file, err := os.Create(w.path)
	if err != nil {
		return err
	}
	w.file.Close()
	w.file = file
	return nil
}
"""

TRIES = (
    (
        "Windows does not rename an open file. Close it first.",
        "func (w *Writer) Rotate() error {\n",
        "func (w *Writer) Rotate() error {\n\tw.file.Close()\n",
    ),
    (
        "The second close is now an error that nobody sees; it goes.",
        "\tw.file.Close()\n\tw.file = file\n",
        "\tw.file = file\n",
    ),
    (
        "Perhaps the handle is released a little later.",
        "\tw.file.Close()\n\tif err",
        "\tw.file.Close()\n\ttime.Sleep(50 * time.Millisecond)\n\tif err",
    ),
    ("`time` is not imported.", 'import "os"\n', 'import (\n\t"os"\n\t"time"\n)\n'),
    (
        "Then it is not our handle. I'll ask who holds it, with a build that lists the open files.",
        "// Rotate moves",
        "// A second handle is open on Windows; see the job's log.\n// Rotate moves",
    ),
)


def max_iterations(run: Run) -> None:
    """A job that is red on Windows, which the agent cannot run."""
    run.root = "/workspace/logkeep"
    run.max_iterations = 20
    run.files = {".github/workflows/test.yml": WORKFLOW, "rotate/rotate.go": ROTATE}
    run.user(
        "The Windows job is red since we added log rotation. Get it green. You cannot run Windows "
        "here: push to `windows-ci` and read the job's log.",
    )
    run.do(
        "",
        shell(
            run,
            "git log --oneline -3",
            "b8e1f40 Rotate the log when it grows over 10 MB\n0d9a7c2 Flush on exit\n"
            "4417be9 Release 0.4.0\n",
            ran=0.1,
        ),
        llm=3.0,
    )
    run.do("", view(run, ".github/workflows/test.yml"), llm=3.3)
    run.do("", view(run, "rotate/rotate.go"), llm=2.9)
    for number, (thought, old, new) in enumerate(TRIES, 1):
        run.do(thought, edit(run, "rotate/rotate.go", old, new), llm=run.vary(5, 12))
        run.do(
            "",
            shell(
                run,
                f"git commit -qam 'Windows: try {number}' && git push -q origin HEAD:windows-ci",
                ran=2.4,
            ),
            llm=3.0,
        )
        log = WINDOWS_LOG.format(seconds=f"0.{40 + 3 * number}")
        if number == 3:
            log = (
                "rotate\\rotate.go:8:2: undefined: time\nFAIL    github.com/acme/logkeep/rotate "
                "[build failed]\n"
            )
        run.do(
            "",
            mcp(
                "github_wait_for_checks",
                {"branch": "windows-ci", "job": "test (windows-2025)"},
                f"conclusion: failure\n\n{log}",
                ran=188,
            ),
            llm=3.4,
        )
    run.do(
        "",
        shell(
            run,
            "grep -rn 'app.log' --include=*_test.go .",
            './rotate/rotate_test.go:17:\treader, err := os.Open("logs/app.log")\n',
            ran=0.1,
        ),
        llm=4.8,
    )
    run.do(
        "There it is: the test itself holds the file open while it rotates.",
        shell(
            run,
            "sed -n 15,40p rotate/rotate_test.go",
            'func TestRotate(t *testing.T) {\n\tw := open(t, "logs/app.log")\n'
            '\treader, err := os.Open("logs/app.log")\n\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n'
            "\tdefer reader.Close()\n\tif err := w.Rotate(); err != nil {\n\t\tt.Fatal(err)\n"
            "\t}\n}\n",
            ran=0.1,
        ),
        llm=6.4,
    )
    run.fail(
        "MaxIterationsReached",
        "Agent reached maximum iterations limit (20).",
    )
