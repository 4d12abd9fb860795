#!/bin/bash
# Runs containers on a real Docker engine of its own (as root, on Debian), with an image made of busybox:
#   npm run test:containers [-- --where-possible]
# With --where-possible a machine on which no engine can run a container is no failure; it is said.
set -euo pipefail
where_possible=${1:-}
possible=
cd "$(dirname "$0")/../.."
for part in report engine; do
  # shellcheck source=/dev/null
  . "docker/test/$part.sh"
done

if [ "$(id -u)" != 0 ]; then
  echo "SKIPPED: starting a private Docker engine takes root; nothing of containers was tested" >&2
  exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/carillon-containers.XXXXXX")
clean_up() {
  local status=$?
  set +e
  trap '' INT TERM
  stop_own_engine
  rm -rf "$work"
  if [ $status -ne 0 ] && [ -z "$possible" ] && [ "$where_possible" = --where-possible ]; then
    printf '\nSKIPPED: no Docker engine can run a container here (the reason is above); nothing of containers was tested\n' >&2
    exit 0
  fi
  if [ $status -eq 0 ]; then printf '\nContainers work. %s s\n' "$SECONDS"; else printf '\nFAILED after %s s\n' "$SECONDS" >&2; fi
  exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "A Docker engine"
start_own_engine
note "started a private engine: $(docker version -f '{{.Server.Version}}')"

step "An image"
{ [ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1; } || install_package busybox-static
mkdir -p "$work/image/bin" "$work/image/tmp"
cp /bin/busybox "$work/image/bin/"
for applet in cat echo grep head hostname kill printf seq sh sleep tail tr true; do
  ln -s busybox "$work/image/bin/$applet"
done
expect "an image of busybox is made" sh -c "tar -C '$work/image' -c . | docker import - localhost/bb:test"
expect "a container runs" docker run --rm --network none localhost/bb:test true
possible=yes

step "Containers"
npm run --silent build
CARILLON_TEST_DOCKER_SOCKET=$work/engine/docker.sock npx vitest run --config test/targets/container/vitest.live.config.ts
