# shellcheck shell=bash
# The images the Dockerfiles start from. Needs report.sh, engine.sh and $work.

debian_job=

# Pulls them. A private engine without a registry gets stand-ins from Debian's packages and this machine's Node;
# an engine that was already running never does, because its images belong to somebody.
find_base_images() {
  if timeout 300 docker pull -q debian:trixie-slim >/dev/null 2>"$work/pull.log" &&
    timeout 300 docker pull -q node:20-bookworm-slim >/dev/null 2>>"$work/pull.log"; then
    note "pulled debian:trixie-slim and node:20-bookworm-slim"
    return
  fi
  [ -n "$own_engine" ] || die "the base images could not be pulled:"$'\n'"$(<"$work/pull.log")"
  note "no registry answers, making stand-ins: $(head -n 1 "$work/pull.log")"
  command -v mmdebstrap >/dev/null || install_package mmdebstrap
  TMPDIR=$work mmdebstrap -q --mode=root --variant=minbase trixie "$work/trixie.tar" >"$work/trixie.log" 2>&1 &
  debian_job=$!
  make_node
  wait "$debian_job" || die "the stand-in for debian:trixie-slim could not be made:"$'\n'"$(tail -n 5 "$work/trixie.log")"
  docker import -c 'CMD ["bash"]' "$work/trixie.tar" debian:trixie-slim >/dev/null
  rm "$work/trixie.tar"
  note "made debian:trixie-slim and node:20-bookworm-slim (Node $(node -p process.versions.node))"
}

# Laid out as the official image: node and npm under /usr/local, a user `node` with id 1000. It also trusts what this
# machine trusts, so that npm works in it behind a proxy that re-signs.
make_node() {
  local hook=$work/node-hook npm
  npm=$(npm root -g 2>/dev/null)/npm
  [ -e "$npm/bin/npm-cli.js" ] || die "npm was not found at $npm; a stand-in for the node image needs it"
  cat >"$hook" <<EOF
set -e
mkdir -p "\$1/usr/local/lib/node_modules" "\$1/usr/local/share/machine"
cp '$(node -p process.execPath)' "\$1/usr/local/bin/node"
cp -rL '$npm' "\$1/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "\$1/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "\$1/usr/local/bin/npx"
cp '${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}' "\$1/usr/local/share/machine/ca.crt"
chroot "\$1" groupadd --gid 1000 node
chroot "\$1" useradd --uid 1000 --gid node --create-home node
EOF
  TMPDIR=$work mmdebstrap -q --mode=root --variant=minbase --customize-hook="sh '$hook' \"\$1\"" bookworm "$work/node.tar" \
    >"$work/node.log" 2>&1 || die "the stand-in for node:20-bookworm-slim could not be made:"$'\n'"$(tail -n 5 "$work/node.log")"
  docker import -c 'CMD ["node"]' -c 'ENV NODE_EXTRA_CA_CERTS=/usr/local/share/machine/ca.crt' \
    -c "ENV npm_config_registry=$(npm config get registry 2>/dev/null)" "$work/node.tar" node:20-bookworm-slim >/dev/null
  rm "$work/node.tar"
}

stop_making_base_images() {
  [ -n "$debian_job" ] || return 0
  kill "$debian_job" 2>/dev/null
  wait "$debian_job"
}
