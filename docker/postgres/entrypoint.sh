#!/bin/bash
# Makes the data folder on the first start, then becomes the server. Arguments go to postgres.
set -euo pipefail
umask 077

fail() {
  echo "carillon-postgres: $*" >&2
  exit 1
}

# Sets the variable $1 from the file named by $1_FILE (a mounted secret), else leaves it, else takes the default $2.
from_env_or_file() {
  local name=$1 file_name="${1}_FILE"
  if [ -n "${!file_name:-}" ]; then
    [ -z "${!name:-}" ] || fail "$name and $file_name are both set; set one of them"
    [ -r "${!file_name}" ] || fail "$file_name names ${!file_name}, which cannot be read by user $(id -un)"
    printf -v "$name" '%s' "$(<"${!file_name}")"
    unset "$file_name"
  fi
  [ -n "${!name:-}" ] || printf -v "$name" '%s' "${2:-}"
}

# In postgresql.conf, as in SQL, a quote within a quoted value is doubled.
quoted() {
  printf '%s' "${1//"$2"/"$2$2"}"
}

# Everything happens in a folder beside PGDATA and ends with a rename: a start killed half-way leaves nothing behind.
create_cluster() {
  local fresh="$PGDATA.new"
  [ -n "$POSTGRES_PASSWORD" ] ||
    fail "no password for the new database; set POSTGRES_PASSWORD, or POSTGRES_PASSWORD_FILE to the path of a secret"
  case "$POSTGRES_USER$POSTGRES_DB$POSTGRES_PASSWORD" in
    *$'\n'*) fail "POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD must each be one line" ;;
  esac
  case "$POSTGRES_USER" in
    *[\"\'\$\\]*) fail "POSTGRES_USER must hold none of \" ' \$ \\ (Postgres refuses them in the owner of an extension)" ;;
  esac
  { mkdir -p "$(dirname "$PGDATA")" && rm -rf "$fresh" && mkdir "$fresh"; } 2>/dev/null ||
    fail "$(dirname "$PGDATA") is not writable by user $(id -un) ($(id -u)); give the volume to that user"

  # Postgres' own collation: unlike the C library's it never changes with the base image, so no index goes stale.
  initdb --pgdata="$fresh" --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
    --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 --auth=scram-sha-256 --no-instructions >/dev/null

  # Over TCP everybody needs the password; on the socket only this container's own user gets in, as any role.
  cat >"$fresh/pg_hba.conf" <<'EOF'
local all all     peer map=container
host  all all all scram-sha-256
EOF
  echo 'container postgres all' >"$fresh/pg_ident.conf"

  # Background workers, so that pg_cron needs no password of its own. Ticks are kept in tables: its log lines would repeat them.
  # Compiling queries to machine code costs more than it saves on a scheduler's short ones.
  cat >>"$fresh/postgresql.conf" <<EOF

# Written by the image on the first start.
listen_addresses = '*'
timezone = 'UTC'
jit = off
max_worker_processes = 20
shared_preload_libraries = 'pg_cron'
cron.database_name = '$(quoted "$POSTGRES_DB" "'")'
cron.use_background_workers = on
cron.log_statement = off
EOF

  # Single-user mode makes the database without a server that clients could already reach.
  if [ "$POSTGRES_DB" != postgres ]; then
    echo "create database \"$(quoted "$POSTGRES_DB" '"')\"" |
      postgres --single -D "$fresh" -c shared_preload_libraries= -c log_min_messages=error -j template1 >/dev/null
  fi
  rm -rf "$PGDATA"
  mv "$fresh" "$PGDATA"
  echo "carillon-postgres: made database $POSTGRES_DB, owned by $POSTGRES_USER, in $PGDATA"
}

case "${1:-}" in
  "" | -*) ;;
  *) exec "$@" ;;
esac

from_env_or_file POSTGRES_PASSWORD
from_env_or_file POSTGRES_USER postgres
from_env_or_file POSTGRES_DB "$POSTGRES_USER"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -z "$(ls -A "$PGDATA" 2>/dev/null)" ] || fail "$PGDATA holds files but no database; empty it or choose another volume"
  create_cluster
fi
version=$(<"$PGDATA/PG_VERSION")
[ "$version" = 17 ] || fail "$PGDATA was written by PostgreSQL $version, this image runs 17; dump it with $version and restore it here"

unset POSTGRES_PASSWORD
exec postgres -D "$PGDATA" "$@"
