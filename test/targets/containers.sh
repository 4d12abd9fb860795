#!/bin/bash
# Runs containers on a real Docker engine of its own (as root, on Debian), with an image made of busybox:
#   bash test/targets/containers.sh
set -euo pipefail
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

step "Containers"
npm run --silent build
CARILLON_TEST_DOCKER_SOCKET=$work/engine/docker.sock npx vitest run --config test/targets/container/vitest.live.config.ts
