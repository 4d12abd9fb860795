# shellcheck shell=bash
# How docker/test.sh speaks and waits.

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }
ok() { printf '   ok  %s\n' "$1"; }
note() { printf '       %s\n' "$1"; }
die() {
  printf '   FAILED  %s\n' "$1" >&2
  exit 1
}

# expect DESCRIPTION COMMAND...: the command must succeed; when it does not, what it wrote is shown.
expect() {
  local what=$1 output
  shift
  output=$("$@" 2>&1) || die "$what"$'\n'"$output"
  ok "$what"
}

# refuse DESCRIPTION TEXT COMMAND...: the command must fail and say TEXT.
refuse() {
  local what=$1 text=$2 output
  shift 2
  if output=$("$@" 2>&1); then die "$what: it succeeded"$'\n'"$output"; fi
  [[ $output == *"$text"* ]] || die "$what: it did not say '$text' but"$'\n'"$output"
  ok "$what"
}

# within SECONDS DESCRIPTION COMMAND...: the command must succeed before the time is up.
within() {
  local deadline=$((SECONDS + $1)) what=$2 output
  shift 2
  until output=$("$@" 2>&1); do
    ((SECONDS < deadline)) || die "$what"$'\n'"$output"
    sleep 0.2
  done
  ok "$what"
}
