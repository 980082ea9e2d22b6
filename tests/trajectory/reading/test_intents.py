"""What commands and calls are for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.intents import Intent, acts_of, purposes_of
from oh_tui.trajectory.search.step_filter import parse
from oh_tui.trajectory.shell.commands import program_of
from tests.trajectory.made import call, event, message, shell

COMMANDS = {
    "ls -la src": "look",
    "cat a.py | head -20": "look",
    "grep -rn 'def main' src": "look",
    "cd /workspace && git status": "look",
    "git log --oneline -5": "look",
    "git -C repo diff --stat": "look",
    "find . -name '*.py'": "look",
    "sed -n 1,20p a.py": "look",
    "pytest -q tests": "test",
    "cd app && python -m pytest tests/test_a.py 2>&1 | tail -5": "test look",
    "python3.12 -m unittest discover": "test",
    "PYTHONPATH=. timeout 60 python -m pytest": "test",
    "uv run --python 3.12 pytest": "test",
    "poetry run pytest -x": "test",
    "npx jest --ci": "test",
    "npm test": "test",
    "npm run test:unit": "test",
    "yarn test": "test",
    "cargo test --workspace": "test",
    "go test ./...": "test",
    "make test": "test",
    "make CI=1 check": "test",
    "mvn -q verify": "test",
    "./gradlew test": "test",
    "python manage.py test app": "test",
    "python manage.py check --deploy": "lint",
    "./run_tests.sh": "test",
    "python tests/test_dates.py": "test",
    "bash -c 'cd x && pytest'": "test",
    "coverage run -m pytest": "test",
    "tox -e py311": "test",
    "python -m coverage run -m pytest": "test",
    "yarn jest": "test",
    "npm --prefix app test": "test",
    "yarn workspace app test": "test",
    "node --test": "test",
    "cargo nextest run": "test",
    "ninja -C build test": "test",
    "php artisan test": "test",
    "bash scripts/test.sh": "test",
    "./manage.py test app": "test",
    "make -C tests all": "build",
    "make -C dir check": "test",
    "make install": "build",
    "just test": "test",
    "just --list": "look",
    "hatch run test": "test",
    "hatch run py311:test -x": "test",
    "hatch run lint:style": "lint",
    "hatch -e test run pytest": "test",
    "pdm run test": "test",
    "tox": "test",
    "tox -e lint": "lint",
    "tox -e py311,lint": "test",
    "tox -l": "look",
    "nox -s tests-3.11": "test",
    "nox -s lint": "lint",
    "pip download httpx": "network",
    "deno fmt": "lint",
    "deno test": "test",
    "deno task test": "test",
    "deno run a.ts": "run",
    "bun test": "test",
    "bun x vitest": "test",
    "bun a.ts": "run",
    "npx --yes jest": "test",
    "npx -p typescript tsc --noEmit": "lint",
    "npx playwright install": "install",
    "uv run pytest": "test",
    "uv run --with x -- pytest -q": "test",
    "uv tool run ruff check": "lint",
    "docker compose run --rm -e A=1 web pytest": "test",
    "docker run --rm -m 512m image npm test": "test",
    "kubectl exec pod -- pytest": "test",
    "bash -lc \"pytest\"": "test",
    "bash -o pipefail -c 'pytest | tail'": "test look",
    "cargo nextest list": "look",
    "cargo +nightly test": "test",
    "cargo build --bin test": "build",
    "gradle test": "test",
    "./gradlew :app:testDebugUnitTest": "test",
    "./gradlew check": "test",
    "./gradlew build": "build",
    "mvn -q install -DskipTests": "build",
    "mvn test-compile": "build",
    "sbt 'testOnly A'": "test",
    "dotnet test": "test",
    "dotnet restore": "install",
    "vendor/bin/phpunit": "test",
    "rspec": "test",
    "bin/rails test": "test",
    "mix test": "test",
    "mix deps.get": "install",
    "ctest --test-dir build": "test",
    "ctest -N": "look",
    "go vet ./...": "lint",
    "go mod tidy": "install",
    "swift test": "test",
    "zig build test": "test",
    "time -p pytest": "test",
    "sudo -E pytest": "sudo test",
    "timeout -k 5 60 pytest": "test",
    "command -v pytest": "look",
    "$PYTHON -m pytest": "test",
    "python -m build": "build",
    "make -n test": "look",
    "pytest --version": "look",
    "python -m pytest --collect-only -q": "look",
    "python -m python -m python": "run",
    "npm run test:lint": "lint",
    "npm run check-types": "lint",
    "ruff check . && mypy src": "lint",
    "npm run lint": "lint",
    "cargo clippy": "lint",
    "cargo build --release": "build",
    "make": "build",
    "npm run build": "build",
    "gcc -o a a.c": "build",
    "pip install -e .": "install",
    "python -m pip install pytest": "install",
    "uv pip install httpx": "install",
    "sudo apt-get install -y tmux": "sudo install",
    "npm ci": "install",
    "pip check": "lint",
    "yarn": "install",
    "go get example.com/x": "install",
    "poetry --version": "look",
    "pip list": "look",
    "npm ls --depth 0": "look",
    "go version": "look",
    "cargo tree": "look",
    "docker build -t x .": "build",
    "docker compose ps": "look",
    "docker run x": "run",
    "docker exec web rm -rf /etc/x": "run",
    "docker compose -f a.yml exec -T web pytest -q": "test",
    "docker run --rm -v .:/w -w /w image npm test": "test",
    "cargo add serde": "install",
    "git add -A && git commit -m 'Fix dates; push later'": "run commit",
    "git push origin main": "push",
    "git push --dry-run origin main": "look",
    "git switch main": "look",
    "git checkout -b fix": "run",
    "git checkout -b fix origin/main": "edit",
    "git reset --soft HEAD~1": "run",
    "git reset --hard": "edit",
    "git restore --staged a.py": "run",
    "git rm -r --cached build": "run",
    "git clean -n": "look",
    "git push --force-with-lease": "push force",
    "git push -f origin x": "push force",
    "git push origin +main": "push force",
    "gh pr create --fill": "push",
    "git clone https://example.com/x.git": "network",
    "curl -sS https://example.com": "network",
    "rm -rf build": "delete",
    "git rm old.py": "delete",
    "find . -name '*.pyc' -delete": "delete",
    "find . -name x -exec rm {} ;": "look delete",
    "mv a.py b.py": "move",
    "sed -i 's/a/b/' a.py": "edit",
    "echo hello > a.txt": "edit",
    "cat > a.py <<'EOF'\nrm -rf /\npytest\nEOF": "edit",
    "cat <<EOF > a.py\nprint(1)\nEOF": "edit",
    "ls > /dev/null 2>&1": "look",
    "git checkout -- a.py": "edit",
    "sleep 5": "wait",
    "python app.py": "run",
    "cargo run": "run",
    "echo pytest": "",
    "cd /workspace": "",
    # not understood by the reader of the shell, so read by their words
    "f() { pytest; }; f": "test",
    "case $x in a) pytest;; esac": "test",
    "echo `git push`": "push",
    "cat > a.py <<'EOF'\nno end, and git push in it": "edit",
    "f() { cat <<A; cat <<B; }; f\ngit push\nA\ngit push\nB\npytest": "look test",
    "f() { cat <<<A; }; f\ngit push": "look push",
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_for(command: str) -> None:
    told = {act.purpose.value for act in acts_of(command)}
    assert COMMANDS[command].split() or not told
    for purpose in COMMANDS[command].split():
        assert purpose in told
    assert not told - set(COMMANDS[command].split()) - {"run"}


PATHS = {
    "rm -rf build /tmp/x": [("delete", ("build", "/tmp/x"))],
    "rm -rf $HOME/x": [("delete", ())],
    "mv a b": [("move", ("a", "b"))],
    "cp -r a /etc/b": [("edit", ("/etc/b",))],
    "sed -i 's/a/b/' x.py y.py": [("edit", ("x.py", "y.py"))],
    "ls >> list.txt": [("edit", ("list.txt",))],
    "git rm -q a.py": [("delete", ("a.py",))],
    "git checkout HEAD -- a.py": [("edit", ("a.py",))],
    "git stash pop": [("edit", ())],
    "find . -exec sed -i s/a/b/ {} +": [("look", ()), ("edit", ())],
    "find . -exec rm {} \\;": [("look", ()), ("delete", ())],
    "perl -pi -e 's/a/b/' x.py": [("edit", ("x.py",))],
    "sed -i '' 's/a/b/' x.py": [("edit", ("x.py",))],
    "sed -i -e 's/a/b/' -e 's/c/d/' x.py": [("edit", ("x.py",))],
}


@pytest.mark.parametrize("command", PATHS)
def test_paths_are_those_of_the_command(command: str) -> None:
    assert [(act.purpose.value, act.paths) for act in acts_of(command)] == PATHS[command]


def test_output_that_is_sent_to_a_file_is_told_apart() -> None:
    assert [(act.purpose.value, act.is_output) for act in acts_of("pytest > a.log")] == [
        ("edit", True),
        ("test", False),
    ]
    for command in ("echo hello > a.txt", "echo hello | tee a.txt"):
        assert [act.is_output for act in acts_of(command)] == [False]
    told = [(act.purpose.value, act.is_output) for act in acts_of("pytest 2>&1 | tee a.log")]
    assert told == [("test", False), ("edit", True)]


PROGRAMS = {
    "cd /w && FOO=1 timeout 60 python3.12 -m pytest -q 2>&1 | tail -5": "pytest",
    "/w/.venv/bin/pytest": "pytest",
    "bash -c 'cd x && uv run pytest'": "pytest",
    "docker compose exec -T web pytest": "pytest",
    "sudo apt-get -y install tmux": "apt-get install",
    "git -C repo --no-pager log": "git log",
    "npm --prefix app run lint": "npm run lint",
    "ls && python3 app.py": "python",
    "python -m http.server 8000": "python -m http.server",
    "sleep 5; curl localhost": "curl",
    "cat a | grep b": "cat",
    "$TOOL x": "…",
    "cd a": "cd",
    "> a": "",
}


@pytest.mark.parametrize("command", PROGRAMS)
def test_a_command_is_called_by_the_program_that_counts(command: str) -> None:
    assert program_of(command) == PROGRAMS[command]


def test_packages_are_those_that_are_installed() -> None:
    (act,) = acts_of("python -m pip install -q 'httpx>=1' rich[all] -r more.txt -e . \"$X\"")
    assert act.packages == ("httpx", "rich")
    assert [act.packages for act in acts_of("npm install @scope/x@1 && npm ci")] == [
        ("@scope/x",),
        (),
    ]


def test_only_messages_ask() -> None:
    run = Trajectory()
    run.extend([message("a", "Fix it"), event("PauseEvent", "p", source="user")])
    assert [sorted(purposes_of(step)) for step in run.steps] == [["asked"], []]


def test_word_finds_steps_by_what_they_are_for() -> None:
    read = call(
        "b", {"kind": "FileEditorAction", "command": "view", "path": "/a"}, tool="file_editor"
    )
    click = call("g", {"kind": "BrowserClickAction", "index": 3}, tool="browser_click")
    page = call("h", {"kind": "BrowserGetContentAction"}, tool="browser_get_content")
    think = call("c", {"kind": "ThinkAction", "thought": "hm"}, tool="think")
    look = call("d", {"kind": "TerminalAction", "command": "", "is_input": False})
    run = Trajectory()
    run.extend([shell("a", "pytest -q && git push"), read, think, look, click, page])
    assert [sorted(purposes_of(step)) for step in run.steps] == [
        ["push", "test"],
        ["look"],
        [],
        ["wait"],
        ["run"],
        ["network"],
    ]
    for word in ("does:test", "does:pu", "does:push -does:commit"):
        assert [step.number for step in run.steps if parse(word).matches(step, run)] == [1]


def test_programs_that_run_themselves_without_end_are_read() -> None:
    assert [act.purpose.value for act in acts_of("python -m " * 2_000)] == ["run"]


@given(st.text(alphabet=" \n\t\"'`$(){};&|<>\\-=x0rm#!*", max_size=60))
def test_any_command_is_read(command: str) -> None:
    assert all(isinstance(act, Intent) for act in acts_of(command))


@given(st.sampled_from(list(COMMANDS)), st.sampled_from(["sudo ", "time ", "env A=1 ", "nice "]))
def test_wrapped_command_is_for_the_same(command: str, wrapper: str) -> None:
    first = command.partition(" ")[0]
    if first in ("cd", "echo", "f()", "case", "PYTHONPATH=."):
        return
    plain = {act.purpose for act in acts_of(command)}
    assert plain <= {act.purpose for act in acts_of(wrapper + command)}
