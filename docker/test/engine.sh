# shellcheck shell=bash
# A Docker engine for docker/test.sh: the one that is running, or a private one. Needs report.sh and $work.

own_engine=

# Takes the engine that answers; CARILLON_TEST_ENGINE=own insists on a private one.
find_engine() {
  if [ "${CARILLON_TEST_ENGINE:-}" != own ] && docker info >/dev/null 2>&1; then
    docker compose version >/dev/null 2>&1 || die "docker runs here without compose v2; install its compose plugin"
    note "using the engine that is running: $(docker version -f '{{.Server.Version}}')"
    return
  fi
  [ "$(id -u)" = 0 ] || die "no Docker engine answers, and starting a private one takes root"
  start_own_engine
  docker compose version >/dev/null 2>&1 || fetch_compose
  note "started a private engine: $(docker version -f '{{.Server.Version}}'), compose $(docker compose version --short)"
}

# A dockerd whose socket, data, networks and cgroups are its own, so that nothing of the machine's is touched.
start_own_engine() {
  if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
    install_package docker.io
    command -v docker >/dev/null || install_package docker-cli
  fi
  own_engine=$work/engine
  mkdir "$own_engine"
  echo '{}' >"$own_engine/daemon.json"
  setsid dockerd --config-file "$own_engine/daemon.json" --host "unix://$own_engine/docker.sock" \
    --data-root "$own_engine/data" --exec-root "$own_engine/exec" --pidfile "$own_engine/docker.pid" \
    --cgroup-parent "/carillon-test-$$" --bridge=none --iptables=false --ip6tables=false --ip-forward=false \
    >"$own_engine/log" 2>&1 </dev/null &
  local pid=$! deadline=$((SECONDS + 30))
  export DOCKER_HOST=unix://$own_engine/docker.sock DOCKER_CONFIG=$own_engine/config
  until docker info >/dev/null 2>&1; do
    kill -0 "$pid" 2>/dev/null || die "dockerd ended; the end of its log:"$'\n'"$(tail -n 5 "$own_engine/log")"
    ((SECONDS < deadline)) || die "dockerd did not answer in 30 s; the end of its log:"$'\n'"$(tail -n 5 "$own_engine/log")"
    sleep 0.1
  done
}

# Ends the private engine and everything it leaves: containers, networks, mounts, cgroups.
stop_own_engine() {
  [ -n "$own_engine" ] || return 0
  local pid mount
  docker ps -aq | xargs -r docker rm -fv >/dev/null 2>&1
  docker network prune -f >/dev/null 2>&1
  pid=$(cat "$own_engine/docker.pid" 2>/dev/null)
  [ -z "$pid" ] || kill "$pid" 2>/dev/null
  for _ in $(seq 200); do
    if [ -z "$pid" ] || ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.1
  done
  awk -v root="$own_engine/" 'index($2, root) == 1 { print $2 }' /proc/self/mounts | sort -r |
    while read -r mount; do umount "$mount"; done
  find /sys/fs/cgroup -depth -type d -path "*/carillon-test-$$*" -exec rmdir {} + 2>/dev/null
  return 0
}

# Debian packages compose v2 from trixie on. It is one static file, so it is taken out of the package, not installed.
fetch_compose() {
  local apt=$work/apt codename plugins=$DOCKER_CONFIG/cli-plugins
  codename=$(. /etc/os-release && echo "${ID:-}/${VERSION_CODENAME:-}")
  [ "${codename%/*}" = debian ] || die "compose v2 is missing; install docker's compose plugin"
  mkdir -p "$apt/lists/partial" "$apt/parts" "$plugins"
  cp /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources "$apt/parts/" 2>/dev/null || true
  [ ! -e "$apt/parts/sources.list" ] || mv "$apt/parts/sources.list" "$apt/parts/main.list"
  sed -i "s/${codename#*/}/trixie/g" "$apt"/parts/*
  local private=(-qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/parts"
    -o Dir::State::Lists="$apt/lists" -o Acquire::Languages=none -o APT::Sandbox::User=root)
  (cd "$apt" && apt-get "${private[@]}" update && apt-get "${private[@]}" download docker-compose) >"$apt/log" 2>&1 ||
    die "compose v2 could not be fetched:"$'\n'"$(tail -n 5 "$apt/log")"
  dpkg-deb --fsys-tarfile "$apt"/docker-compose_*.deb |
    tar -xO ./usr/libexec/docker/cli-plugins/docker-compose >"$plugins/docker-compose"
  chmod +x "$plugins/docker-compose"
}

install_package() {
  note "installing $1"
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1" >"$work/apt.log" 2>&1 ||
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1"; } >"$work/apt.log" 2>&1 ||
    die "$1 could not be installed:"$'\n'"$(tail -n 5 "$work/apt.log")"
}
