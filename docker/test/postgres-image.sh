# shellcheck shell=bash
# What the Postgres image promises by itself. Needs report.sh and $work.

postgres_container=carillon-test-postgres-$$

remove_postgres_containers() { docker rm -fv "$postgres_container" >/dev/null 2>&1; }

# pg DATABASE SQL: runs it inside the container as its own user.
pg() { docker exec "$postgres_container" psql -X -q -v ON_ERROR_STOP=1 -U owner -d "$1" -Atc "$2"; }

pg_says() { [ "$(pg "$1" "$2")" = "$3" ]; }

pg_over_tcp() {
  docker exec -e PGPASSWORD="$1" "$postgres_container" psql -X -h 127.0.0.1 -U owner -d postgres -Atc 'select 1'
}

check_postgres_image() {
  local image=$1 database="it's a \"db\"" secret=$work/password
  printf '%s\n' "$POSTGRES_PASSWORD" >"$secret"
  chmod 0444 "$secret"

  refuse "a first start without a password is refused" "set POSTGRES_PASSWORD" docker run --rm --network none "$image"
  refuse "a user name Postgres cannot take is refused" "POSTGRES_USER must" \
    docker run --rm --network none -e POSTGRES_PASSWORD=x -e POSTGRES_USER="a'b" "$image"

  docker run -d --name "$postgres_container" --network none --cap-drop ALL -v "$secret:/run/secrets/password:ro" \
    -e POSTGRES_USER=owner -e POSTGRES_DB="$database" -e POSTGRES_PASSWORD_FILE=/run/secrets/password "$image" \
    -c max_connections=55 >/dev/null
  docker kill -s KILL "$postgres_container" >/dev/null
  docker start "$postgres_container" >/dev/null
  within 30 "it becomes ready, though its first start was killed half-way" pg "$database" 'select 1'
  expect "arguments reach the server" pg_says "$database" 'show max_connections' 55
  expect "it runs as the user postgres, without a shell above it" \
    docker exec "$postgres_container" sh -c '[ "$(id -un)" = postgres ] && [ "$(cat /proc/1/comm)" = postgres ]'
  expect "the password from the secret opens it over TCP" pg_over_tcp "$POSTGRES_PASSWORD"
  refuse "another password does not" "password authentication failed" pg_over_tcp wrong
  expect "every IANA zone is known, the old names too" pg_says "$database" \
    "select (timestamp '2026-07-01 12:00' at time zone 'US/Eastern')::text" '2026-07-01 16:00:00+00'
  expect "pg_cron and pgmq can be created" pg "$database" 'create extension pg_cron; create extension pgmq'
  expect "pgmq carries a message" pg_says "$database" \
    "select pgmq.create('q'); select pgmq.send('q', '{}'); select msg_id from pgmq.read('q', 30, 1)" $'\n1\n1'
  expect "pg_cron takes a schedule in seconds" pg "$database" "select cron.schedule('each second', '1 seconds', 'select 1')"
  within 20 "pg_cron runs it" pg_says "$database" \
    "select exists (select from cron.job_run_details where status = 'succeeded')" t
  expect_stop "$postgres_container" 10
  docker start "$postgres_container" >/dev/null
  within 30 "after a restart everything is still there" pg_says "$database" "select count(*) from cron.job" 1
  remove_postgres_containers
}

# expect_stop CONTAINER SECONDS: it must end by itself on its stop signal, with exit code 0.
expect_stop() {
  local before=$SECONDS code name
  name=$(docker inspect -f '{{.Name}}' "$1")
  docker stop -t "$2" "$1" >/dev/null
  code=$(docker inspect -f '{{.State.ExitCode}}' "$1")
  [ "$code" = 0 ] || die "${name#/} was stopped and ended with exit code $code, not 0"$'\n'"$(docker logs --tail 10 "$1" 2>&1)"
  ok "${name#/} stops by itself, in $((SECONDS - before)) s of $2"
}
