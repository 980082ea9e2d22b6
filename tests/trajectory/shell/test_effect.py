"""Which commands may write: in doubt all of them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from oh_tui.trajectory.shell.commands import defined, effect

READS = (
    "", "ls", "ls -la /x && pwd", "cd /x; cat a | head -n 5", "cat a 2>/dev/null", "cat a >&2",
    "ls > /dev/null 2>&1", "ls &>/dev/null", "git status", "git diff HEAD~1 -- a b | head",
    "git --no-pager log --oneline -5", "git -C /x show HEAD:a", "git branch -a", "git stash list",
    "grep -rn 'a > b' .", 'grep "x|y > z" f', "FOO=1 LC_ALL=C sort f", "(ls; pwd)", "{ ls; }",
    "bash -c 'ls | wc -l'", "for f in *.py; do cat $f; done", "if [ -f x ]; then cat x; fi",
    "[[ -f x ]] && cat x || true", "x=$(cat f); echo $x", 'echo "$(ls)"', "wc -l $(git ls-files)",
    "cat <<'EOF'\nx > y; rm z\nEOF\nls", "find . -name '*.py' -type f | xargs grep x",
    "sed -n '1,20p' a", "sed 's/a/b/g' a", "awk '{print $1}' f", "timeout 5 cat a", "ls &",
    "/usr/bin/grep x f", "python --version", "command -v rg", "ls # > x", "ls \\\n  -la",
    "uniq f", "! grep x f", "while true; do sleep 1; done", "export FOO=bar", "echo a; # rm b",
    "env A=1 cat a", "env", "time -p ls", "timeout 5 nice cat a", "exec ls", "git --version",
    "find . -name x -exec grep y {} +", "bash -c 'cat $1' _ a", "echo `ls`", 'echo "`ls`"',
    "cat $(ls # all\n)", "x=$( (ls; pwd) )", "grep $'a\tb' f", "function f { ls; }",
    'command -v "$X"', "bash -c 'ls &'",
)  # fmt: skip

WRITES = (
    "rm x", "mv a b", "touch x", "make", "pytest", "python x.py", "python -c 'print(1)'", "> f",
    "ls > f", "ls>>f", "ls 2>err", "ls >|f", "ls &>f", "echo x >&f", "ls >&3", "cat a | tee b",
    "sed -i s/a/b/ f", "sed -n -i p f", "sed -ni p f", "sed p f -i", "sed 's/a/b/w out' f",
    "sed -n '1w out' f", "sed -f script f", "awk '{print > \"x\"}' f", "awk 'BEGIN{system(x)}'",
    "awk -i inplace 1 f", "sort -o f f", "sort f -uo f", "sort --outp=f f", "uniq a b",
    "find . -delete", "find . -exec rm {} ;", "find . | xargs rm", "find $X", "sort $OPTIONS f",
    "tree -ao f", "xxd a b", "git commit -m x", "git checkout .", "git stash", "git branch new",
    "git diff --output=f", "git log --outp=f", "git -c core.pager=x log", "git show $X",
    "GIT_EXTERNAL_DIFF=x git diff", "PATH=. ls", "LD_PRELOAD=x ls", "export PATH=.", "rg --pre x y",
    "bash -c 'ls; rm x'", "bash -c \"$X\"", "bash x.sh", "sh", "ls | bash", "eval ls", ". x",
    "source x", "for f in *; do rm $f; done", "if rm x; then ls; fi", "(ls; rm x)", "{ rm x; }",
    "echo $(rm x)", 'echo "$(rm x)"', "echo `rm x`", "cat <(rm x)", "echo ${x:-$(rm y)}",
    "cat <<EOF > f\nx\nEOF", "cat <<EOF\n$(rm x)\nEOF", "cat << EOF\nx", "cat <<EOF\nEOF\nrm x",
    "foo() { rm x; }; foo", "trap 'rm x' EXIT", "time rm x", "command rm x", "nice -n 5 rm x",
    "timeout 5 rm x", "env rm x", "sudo ls", "$CMD", "l\\s > f", "'rm' x", "ls;rm x", "ls\nrm x",
    "ls & rm x", "ls || rm x", "ls !$", "echo \"!!\"", "case x in x) rm y;; esac", "ls 'unclosed",
    'ls "unclosed', "ls $(unclosed", "x=1 rm y", "time -p rm x", "done > f", "a=(1 2)", "ls \0",
    "sed -e 'w out' f", "sed -e 1p -e 'w out' f", "env PATH=. ls", "for PATH in .; do ls; done",
    "find . -exec cat {} + -exec rm {} +", "find . -exec sort {} \\; -exec sort + -o x \\;",
    "find . -execdir rm {} \\;", "find . -exec sh -c 'cat {}' \\;", "find . -ok rm {} \\;",
    "timeout $T ls", "timeout -k 5 60 ls", "bash -c 'rm x' y", "function f { rm x; }", "exec rm x",
    "nohup ls", "uv run ls", "docker exec a ls", "echo $(case x in x) rm y;; esac)", "echo `ls",
    "echo `rm \\`x\\``", "case x in x) ls ;esac", "xargs -I{} cat {}", "time -o f ls", "cat <>f",
    "flock f ls", "ls >(rm x)",
    "./ls", "ls > $X", "ls > /dev/nullx", "ls {a,>b}", "x" * 30_000, "$(" * 50 + "ls" + ")" * 50,
)  # fmt: skip


@pytest.mark.parametrize("command", READS)
def test_a_command_that_only_reads(command: str) -> None:
    assert not effect(command).writes


@pytest.mark.parametrize("command", WRITES, ids=[command[:30] for command in WRITES])
def test_a_command_that_may_write(command: str) -> None:
    assert effect(command).writes


@pytest.mark.parametrize("command", [
    "make &", "(make) & ls", "nohup make", "docker run -d x", "docker compose up --build",
    "cd x && nohup make", "sudo service x start", "`tmux new -d`",
])  # fmt: skip
def test_a_process_that_stays(command: str) -> None:
    assert effect(command).stays


@pytest.mark.parametrize("command", [
    "make && ls 2>&1 | cat &> x", "pytest tests/service.py", "docker build -t x .", "make screens",
])  # fmt: skip
def test_a_process_that_ends_with_the_command(command: str) -> None:
    assert effect(command) == (True, False)


def test_a_name_that_was_given_to_something_else_may_write() -> None:
    names = defined("alias ls='rm -rf' cat=x; grep() { rm x; }\nfunction head { rm x; }")
    assert {"ls", "cat", "grep", "head"} <= names
    assert all(effect(name, names).writes for name in ("ls", "cat x", "grep x", "ls | head"))
    assert not effect("pwd", names).writes


FRAMES = (
    "ls; {}", "{} | cat", "ls && {}", "({})", "if true; then {}; fi", "echo $({})", 'echo "$({})"',
    "for x in 1; do {}; done", "! {}", "bash -c '{}'", "true\n{}", "x=1 {}", "echo a | xargs {}",
    "cat f | {} 2>/dev/null", "time {}", "{} &",
)  # fmt: skip


@given(st.lists(st.sampled_from(FRAMES), max_size=3), st.sampled_from(["rm x", "touch y", "make"]))
def test_a_command_within_others_is_found(frames: list[str], command: str) -> None:
    for frame in frames:
        command = frame.replace("{}", command)
    assert effect(command).writes


PIECES = st.sampled_from((
    "ls", "cat", "a", "b*", "'", '"', ">", "<", "|", "&", ";", "&&", "||", "(", ")", "$(", "`",
    "\\", "\n", " ", " ", " ", "EOF", "<<", "2", "$x", "${x}", "{", "}", "!", "#", "echo", "x=1",
    "if", "then", "fi", "do", "done", "for", "in", "sed", "-n", "p", "-i", "sort", "-o", "uniq",
    "find",
    "tee", "touch", "rm", "mv", ">>", ">&", "*", "[", "]", "awk", "{print}", "xargs", "head", "-c",
))  # fmt: skip


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(pieces=st.lists(PIECES, min_size=1, max_size=9))
def test_what_only_reads_leaves_the_folder_as_it_was(pieces: list[str], tmp_path: Path) -> None:
    command = "".join(pieces)
    assume(not effect(command).writes)
    for name in ("a", "b1"):
        (tmp_path / name).write_text(f"{name}\n")

    def seen() -> dict[str, Any]:
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    before = seen()
    shell = ["timeout", "2", "bash", "--norc", "-c", command]
    subprocess.run(
        shell, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=False,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert seen() == before
