#!/bin/bash
# Builds both images, brings the whole system up by compose, checks that it does its work, and takes it down again:
#   npm run test:docker
# Uses the Docker engine that runs here; where there is none, it starts a private one (as root, on Debian).
set -euo pipefail
cd "$(dirname "$0")/.."
for part in report engine base-images postgres-image whole-system; do
  # shellcheck source=/dev/null
  . "docker/test/$part.sh"
done

work=$(mktemp -d "${TMPDIR:-/tmp}/carillon-docker.XXXXXX")
chmod 0711 "$work" # containers and apt reach into it as other users
export CARILLON_TAG=test-$$ CARILLON_PORT=0 CARILLON_POSTGRES_PORT=0
# Characters that an address or a shell would misread, on purpose.
export POSTGRES_PASSWORD="p@ss/w:rd #?%\$x'\"-$$"
compose_files=(-f docker/compose.yaml)

compose() { docker compose --ansi never --progress quiet -p "carillon-test-$$" "${compose_files[@]}" "$@"; }

clean_up() {
  local status=$?
  set +e
  trap '' INT TERM
  if [ $status -ne 0 ] && [ -n "${system_is_up:-}" ]; then
    echo "-- the end of the containers' logs" >&2
    compose logs --no-color --tail 25 >&2
  fi
  if docker info >/dev/null 2>&1; then
    remove_postgres_containers
    compose down --volumes --remove-orphans --rmi all --timeout 5 >/dev/null 2>&1
  fi
  stop_making_base_images
  stop_own_engine
  rm -rf "$work"
  if [ $status -eq 0 ]; then printf '\nAll of docker/ works. %s s\n' "$SECONDS"; else printf '\nFAILED after %s s\n' "$SECONDS" >&2; fi
  exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "A Docker engine"
find_engine

step "Files"
for file in docker/*/Dockerfile; do
  expect "$file is well formed" npm exec --yes --package dockerfile-utils@0.16.3 -- dockerfile-utils lint "$file"
done
expect "compose.yaml is well formed" compose config --quiet
refuse "without a password nothing starts" "set POSTGRES_PASSWORD" env -u POSTGRES_PASSWORD \
  docker compose -f docker/compose.yaml config --quiet

step "Images"
find_base_images
if [ -n "$own_engine" ]; then
  # The private engine has no bridge to the outside, so the builds borrow the machine's network.
  compose config --services | sed 's/.*/  &: { build: { network: host } }/; 1i services:' >"$work/build.yaml"
  compose_files+=(-f "$work/build.yaml")
fi
expect "both images build" compose build

step "The Postgres image alone"
check_postgres_image "carillon-postgres:$CARILLON_TAG"

step "The whole system"
check_whole_system
