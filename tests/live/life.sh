# The whole life of a run by commands alone: life.sh URL FOLDER, with oh-tui on the PATH.
# FOLDER is empty, and the same for the sandbox: its processes are this machine's.
set -euo pipefail
export OPENHANDS_BASE_URL=$1
cd "$2"

fail() { echo "life.sh: $*" >&2; exit 1; }
expect() { # CODE COMMAND...: the exit code that it must have
  local wanted=$1 code=0; shift
  "$@" || code=$?
  [ "$code" = "$wanted" ] || fail "exit code $code instead of $wanted: $*"
}
retry() { # COMMAND...: until it succeeds, for a minute
  for _ in $(seq 30); do if "$@"; then return; fi; sleep 2; done
  fail "not within a minute: $*"
}
status() { oh-tui show "$id" | awk -F'\t' '$1 == "state" { print $2 }'; }
is() { [ "$(status)" = "$1" ]; }
works() { oh-tui steps "$id" | tail -n 1 | grep -q 'sleep 2'; }

echo "== start"
expect 2 oh-tui start script:slow < /dev/null 2> refused.txt
grep -q 'may cost money' refused.txt
id=$(oh-tui start script:slow --yes --wait)
[ ${#id} = 32 ] || fail "no id: $id"

echo "== tail -f, and send to an agent that works"
oh-tui tail -f "$id" -n 50 --json > tail.jsonl 2> tail.txt &
tail=$!
oh-tui send "$id" script:reply > sent.txt
grep -q '^sent' sent.txt
wait $tail
grep -q 'sleep 8; echo woke' tail.jsonl
grep -q Understood tail.jsonl
grep -q '^oh-tui: finished' tail.txt

echo "== stop --now, continue"
expect 1 oh-tui continue "$id" 2> refused.txt
grep -q 'nothing to continue' refused.txt
oh-tui send "$id" - <<< script:long > sent.txt
retry works
oh-tui stop "$id" --now > stopped.txt
grep -q 'the agent is stopped' stopped.txt
is stopped || fail "after stop: $(status)"
oh-tui continue "$id" < /dev/null
retry is finished

echo "== exec"
expect 7 oh-tui exec "$id" -- 'echo out; echo err >&2; exit 7' > out.txt 2> err.txt
[ "$(cat out.txt) $(cat err.txt)" = "out err" ] || fail "exec mixes its streams"
oh-tui exec "$id" -- printf 'a\tb\r\n\033[1mü -- "$HOME"' > out.txt
printf 'a\tb\r\n\033[1mü -- "$HOME"' | cmp - out.txt
oh-tui exec "$id" -- seq 1 400000 > out.txt
seq 1 400000 | cmp - out.txt
[ "$(oh-tui exec "$id" --cwd "$PWD" -- pwd)" = "$PWD" ] || fail "exec is not in its folder"
expect 124 oh-tui exec "$id" --timeout 1 -- sleep 5 2> err.txt

echo "== put, get"
head -c 3000000 /dev/urandom > random.bin
oh-tui put "$id" random.bin "$PWD/there/random.bin"
expect 2 oh-tui put "$id" random.bin "$PWD/there/" < /dev/null 2> refused.txt
grep -q 'would be replaced' refused.txt
oh-tui get "$id" "$PWD/there/random.bin" -o back.bin
cmp random.bin back.bin
oh-tui get "$id" "$PWD/there/random.bin" -o - | cmp - random.bin
expect 1 oh-tui get "$id" /no/such/file 2> refused.txt
expect 2 oh-tui get "$id" "$PWD/there/random.bin" -o back.bin 2> refused.txt

echo "== pause, resume"
oh-tui pause "$id" --yes --wait
expect 1 oh-tui send "$id" script:reply 2> refused.txt
grep -q 'oh-tui resume' refused.txt
expect 1 oh-tui exec "$id" -- true 2> refused.txt
expect 1 oh-tui stop "$id" 2> refused.txt
oh-tui resume "$id" --yes --wait

echo "== count, download, check, why, export"
counts() {
  oh-tui count "$id" --all > counts.txt
  awk -F'\t' '{ n[$1] = $2 } END { exit !(n["agent server"] > 20 &&
    n["app server"] >= n["agent server"] && n["zip"] == n["app server"]) }' counts.txt
}
retry counts
oh-tui download "$id" -o run.zip
oh-tui check run.zip
oh-tui check "$id"
oh-tui why run.zip | tee why.txt
grep -q '^finished' why.txt
oh-tui export run.zip -o run.md
grep -q Understood run.md
expect 2 oh-tui export run.zip -o run.md 2> refused.txt

echo "== a message that waits"
id=$(oh-tui start script:short --no-run --yes 2> left.txt)
grep -q 'oh-tui continue' left.txt
sleep 3
is idle || fail "it ran: $(status)"
oh-tui continue "$id"
retry is finished

echo "== until it is done"
expect 1 oh-tui start script:refused --yes --until-done > out.txt 2> err.txt
grep -q '^oh-tui: error' err.txt
echo "== all"
