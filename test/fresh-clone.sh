#!/usr/bin/env bash
# README's main command in a fresh clone: the demo shows jobs arriving and being recorded, and stops cleanly.
# (README's other command is the suite this script is run beside.)
set -euo pipefail
project=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
command=$(grep -m1 -x 'npm ci && npm run demo' "$project/README.md")
folder=$(mktemp -d)
log=$folder/demo.log
trap 'kill -KILL -- "-${demo:-0}" 2>/dev/null || true; rm -rf "$folder"' EXIT

git clone --quiet "$project" "$folder/carillon"
cd "$folder/carillon"
started=$(date +%s)
set -m
bash -c "$command" >"$log" 2>&1 &
demo=$!
set +m

until grep -q 'recorded  heartbeat' "$log"; do
  kill -0 "$demo" 2>/dev/null || { cat "$log"; echo "the demo ended by itself"; exit 1; }
  [ $(($(date +%s) - started)) -lt 180 ] || { cat "$log"; echo "nothing was recorded within 180 s"; exit 1; }
  sleep 0.5
done
echo "fresh clone to a recorded tick: $(($(date +%s) - started)) s"
grep -m3 -E 'onJob|recorded' "$log"

url=$(sed -n 's/^  API  \(.*\)$/\1/p' "$log")
key=$(sed -n 's/^  key  \(.*\)$/\1/p' "$log")
node -e '
  const response = await fetch(process.argv[1], { headers: { authorization: `Bearer ${process.argv[2]}` } });
  const crons = await response.json();
  if (response.status !== 200 || crons.length < 3) throw new Error(`the API answered ${response.status}`);
  console.log(`the API lists ${crons.map((cron) => cron.name).join(", ")}`);
' --input-type=module "$url" "$key"

kill -INT -- "-$demo"
for _ in $(seq 100); do
  pgrep -g "$demo" >/dev/null || break
  sleep 0.2
done
if pgrep -ag "$demo"; then echo "these were left behind"; exit 1; fi
if pgrep -af "$folder"; then echo "these were left behind"; exit 1; fi
echo "stopped, and nothing was left behind"
