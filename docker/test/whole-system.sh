# shellcheck shell=bash
# The whole system by compose: what a stranger gets from one `up`. Needs report.sh, postgres-image.sh and compose().

system_is_up=

psql_in_system() { compose exec -T postgres psql -X -q -v ON_ERROR_STOP=1 -U carillon -d carillon -Atc "$1"; }

system_says() { [ "$(psql_in_system "$1")" = "$2" ]; }

count() { psql_in_system "select count(*) from carillon.$1"; }

more_than() { [ "$(count "$1")" -gt "$2" ]; }

answers() { curl -fsS -m 5 "http://$(compose port api 8080)$1"; }

check_whole_system() {
  local service ticks jobs
  system_is_up=yes
  expect "one up brings it all up" compose up --detach --wait --wait-timeout 180
  expect "/healthz answers" answers /healthz
  expect "/readyz answers" answers /readyz
  for service in api:8080 postgres:5432; do
    [[ $(compose port "${service%:*}" "${service#*:}") == 127.0.0.1:* ]] || die "${service%:*} is open to the network"
  done
  ok "the ports are open to this machine only"
  for service in postgres api worker; do
    expect "$service does not run as root" compose exec -T "$service" sh -c '[ "$(id -u)" != 0 ]'
  done
  expect "the app image holds no development packages" compose exec -T api sh -c '[ ! -e node_modules/typescript ] && [ ! -e src ]'
  expect "pg_cron and pgmq are installed" system_says \
    "select string_agg(extname, ' ' order by extname) from pg_extension where extname in ('pg_cron', 'pgmq')" 'pg_cron pgmq'
  within 90 "pg_cron wakes the demo's crons" system_says \
    "select exists (select from cron.job_run_details where status = 'succeeded')" t
  within 90 "a tick of the demo is in the ledger" more_than ticks 0
  within 30 "its job is in the history" more_than job_history 0
  expect "every job of the demo ended well" system_says "select count(*) from carillon.job_history where status <> 'completed'" 0
  no_password_in_logs

  ticks=$(count ticks) jobs=$(count job_history)
  expect_stop "$(compose ps -q api)" 30
  expect_stop "$(compose ps -q worker)" 60
  expect_stop "$(compose ps -q postgres)" 60
  expect "down keeps the volume" compose down
  expect "up again" compose up --detach --wait --wait-timeout 180
  expect "the $ticks ticks survived" more_than ticks $((ticks - 1))
  expect "the $jobs jobs survived" more_than job_history $((jobs - 1))
  within 90 "new ticks come" more_than ticks "$(count ticks)"
  within 90 "new jobs end" more_than job_history "$(count job_history)"
}

no_password_in_logs() {
  if compose logs --no-color 2>&1 | grep -qF -e "$POSTGRES_PASSWORD"; then die "a log shows the password"; fi
  ok "no log shows the password"
}
