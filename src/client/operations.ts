import type { Gives, RouteKey, Takes } from "./signatures.js";

/** A method of the client as a record. */
export interface Operation<K extends RouteKey = RouteKey> {
  route: K;
  takes: "nothing" | "query" | "body";
  gives: "json" | "pages" | "events" | "file";
}

/** What has to be said of a route besides its name; held against the route table by its types. */
type Traits<K extends RouteKey> =
  Gives<K> extends "json"
    ? Takes<K> extends "nothing"
      ? []
      : [takes: Takes<K>]
    : [takes: Takes<K>, gives: Gives<K>];

const op = <const K extends RouteKey>(route: K, ...traits: Traits<K>): Operation<K> => {
  const [takes = "nothing", gives = "json"] = traits as Partial<
    [Operation["takes"], Operation["gives"]]
  >;
  return { route, takes, gives };
};

/** Every method of the client: by group and name, the route it calls. */
export const OPERATIONS = {
  apps: {
    /** The apps in which the caller holds any permission. */
    list: op("GET /api/v1/apps"),
    /** Installs an app, or brings its crons to what the manifest says. */
    deploy: op("PUT /api/v1/apps/{appId}/manifest", "body"),
    /** Changes its name, agent or limit until its next deploy; null resets one to its default. */
    update: op("PATCH /api/v1/apps/{appId}", "body"),
    /** Uninstalls an app: its crons go, its live jobs are canceled, its history stays. */
    uninstall: op("DELETE /api/v1/apps/{appId}"),
  },
  crons: {
    /** The crons of an app, by name. */
    list: op("GET /api/v1/apps/{appId}/crons"),
    /** Crons across all apps: one's own, and all where one manages others'. */
    listAll: op("GET /api/v1/crons"),
    /** Those of all apps, page by page, each with how it is and how it went. */
    summaries: op("GET /api/v1/cron-summaries", "query", "pages"),
    /** One cron, with how it is and how its newest slots went. */
    summary: op("GET /api/v1/apps/{appId}/crons/{id}/summary", "query"),
    get: op("GET /api/v1/apps/{appId}/crons/{id}"),
    create: op("POST /api/v1/apps/{appId}/crons", "body"),
    /** Changes the given fields; null resets one to its default. */
    update: op("PATCH /api/v1/apps/{appId}/crons/{id}", "body"),
    /** Deletes a cron; its history stays. */
    delete: op("DELETE /api/v1/apps/{appId}/crons/{id}"),
    /** Enqueues one job at once, whatever the schedule. */
    trigger: op("POST /api/v1/apps/{appId}/crons/{id}/trigger", "body"),
    /** What was on each day, in its time zone. */
    calendar: op("GET /api/v1/apps/{appId}/crons/{id}/calendar", "query"),
    /** The slots to come of all crons one may read: how many, when, and whose. */
    upcoming: op("GET /api/v1/upcoming", "query"),
    /** pg_cron's runs, newest first, each with what came of its slot. */
    runs: op("GET /api/v1/apps/{appId}/crons/{id}/runs", "query"),
    /** The decided slots, newest first. */
    ticks: op("GET /api/v1/apps/{appId}/crons/{id}/ticks", "query", "pages"),
    /** Enqueues the slots of a past range that have no tick yet, or lists them. */
    backfill: op("POST /api/v1/apps/{appId}/crons/{id}/backfill", "body"),
    /** The newest backfills, with their progress. */
    backfills: op("GET /api/v1/apps/{appId}/crons/{id}/backfills"),
  },
  jobs: {
    /** The jobs of an app, live and finished, by filters. */
    list: op("GET /api/v1/apps/{appId}/jobs", "query", "pages"),
    get: op("GET /api/v1/apps/{appId}/jobs/{id}"),
    enqueue: op("POST /api/v1/apps/{appId}/jobs", "body"),
    /** Enqueues many, all or none. */
    enqueueMany: op("POST /api/v1/apps/{appId}/jobs/batch", "body"),
    /** Changes when a waiting job is due or, before its first attempt, its payload and target. */
    update: op("PATCH /api/v1/apps/{appId}/jobs/{id}", "body"),
    /** Cancels a waiting or running job. */
    cancel: op("POST /api/v1/apps/{appId}/jobs/{id}/cancel", "body"),
    /** Cancels the live jobs that a filter means. */
    cancelMany: op("POST /api/v1/apps/{appId}/jobs/cancel", "body"),
    /** Runs a job that has ended again, as a new job. */
    retry: op("POST /api/v1/apps/{appId}/jobs/{id}/retry"),
    /** Runs the ended jobs that a filter means again. */
    retryMany: op("POST /api/v1/apps/{appId}/jobs/retry", "body"),
    /** The lines of a job's log, in order. */
    logs: op("GET /api/v1/apps/{appId}/jobs/{id}/logs", "query", "pages"),
    /** Follows a job's log, progress and status until it has ended, across lost connections. */
    followLog: op("GET /api/v1/apps/{appId}/jobs/{id}/logs/stream", "query", "events"),
    /** A job's log as a file. */
    downloadLog: op("GET /api/v1/apps/{appId}/jobs/{id}/logs/download", "query", "file"),
  },
  deadLetters: {
    /** Copies of jobs that were delivered in vain too often, newest first. */
    list: op("GET /api/v1/apps/{appId}/dead-letters", "query", "pages"),
    /** Puts letters back to work, as new jobs. */
    redrive: op("POST /api/v1/apps/{appId}/dead-letters/redrive", "body"),
    /** Deletes letters for good; the jobs stay in the history. */
    delete: op("POST /api/v1/apps/{appId}/dead-letters/delete", "body"),
  },
  secrets: {
    /** The names of an app's secrets; their values are told to nobody. */
    list: op("GET /api/v1/apps/{appId}/secrets"),
    get: op("GET /api/v1/apps/{appId}/secrets/{name}"),
    /** Sets a secret, new or not. */
    set: op("PUT /api/v1/apps/{appId}/secrets/{name}", "body"),
    delete: op("DELETE /api/v1/apps/{appId}/secrets/{name}"),
  },
  signingKeys: {
    /** The keys that an app's requests are signed by; themselves they are not shown again. */
    list: op("GET /api/v1/apps/{appId}/signing-keys"),
    /** Makes a new one, which is in this answer only; the one before signs as well for a while. */
    rotate: op("POST /api/v1/apps/{appId}/signing-keys/rotate", "body"),
  },
  targets: {
    /** The targets of an app that were broken when last called, with their circuit breakers. */
    list: op("GET /api/v1/apps/{appId}/targets", "query", "pages"),
    /** Calls one again at once, or all of them. */
    reset: op("POST /api/v1/apps/{appId}/targets/reset", "body"),
    /** When calls to a broken target are held back. */
    breaker: op("GET /api/v1/apps/{appId}/targets/breaker"),
    setBreaker: op("PUT /api/v1/apps/{appId}/targets/breaker", "body"),
  },
  schedules: {
    /** A schedule's next slots, and what it means in plain English. */
    preview: op("GET /api/v1/schedules/preview", "query"),
    /** The time zones the server knows, with their offsets and next changes. */
    timezones: op("GET /api/v1/timezones"),
  },
  principals: {
    list: op("GET /api/v1/principals", "query", "pages"),
    get: op("GET /api/v1/principals/{id}"),
    create: op("POST /api/v1/principals", "body"),
    /** Renames, disables or enables. */
    update: op("PATCH /api/v1/principals/{id}", "body"),
    delete: op("DELETE /api/v1/principals/{id}"),
    grantRole: op("PUT /api/v1/principals/{id}/roles/{role}"),
    revokeRole: op("DELETE /api/v1/principals/{id}/roles/{role}"),
    /** By which tokens and sessions somebody comes as this principal. */
    identities: op("GET /api/v1/principals/{id}/identities"),
    linkIdentity: op("PUT /api/v1/principals/{id}/identities", "body"),
    unlinkIdentity: op("DELETE /api/v1/principals/{id}/identities", "query"),
  },
  roles: {
    list: op("GET /api/v1/roles", "query", "pages"),
    get: op("GET /api/v1/roles/{name}"),
    create: op("POST /api/v1/roles", "body"),
    update: op("PATCH /api/v1/roles/{name}", "body"),
    delete: op("DELETE /api/v1/roles/{name}"),
  },
  keys: {
    /** One's own API keys, another principal's, or all; newest first. */
    list: op("GET /api/v1/keys", "query", "pages"),
    /** Makes an API key; its secret is in this answer only. */
    create: op("POST /api/v1/keys", "body"),
    /** From the next request on the key is refused. */
    revoke: op("DELETE /api/v1/keys/{id}"),
  },
  audit: {
    /** Who changed what in the whole installation, newest first. */
    list: op("GET /api/v1/audit", "query", "pages"),
    /** The same of an app. */
    ofApp: op("GET /api/v1/apps/{appId}/audit", "query", "pages"),
    /** The same of a cron, which may be gone. */
    ofCron: op("GET /api/v1/apps/{appId}/crons/{id}/audit", "query", "pages"),
  },
  stats: {
    /** How an app's jobs ended, how long they took and waited, in all and by bucket. */
    ofApp: op("GET /api/v1/apps/{appId}/stats", "query"),
    /** The same of a cron. */
    ofCron: op("GET /api/v1/apps/{appId}/crons/{id}/stats", "query"),
  },
  overview: {
    /** The last 24 hours hour by hour, what runs, what waits, and who works. */
    get: op("GET /api/v1/overview", "query"),
    /** What needs somebody, most serious first. */
    attention: op("GET /api/v1/attention", "query"),
    /** The workers and dispatchers that are there, idle ones too, or were within the last hour. */
    workers: op("GET /api/v1/workers", "query"),
  },
  retention: {
    /** How long, and how many, of an app's finished jobs are kept. */
    ofApp: op("GET /api/v1/apps/{appId}/retention"),
    setForApp: op("PUT /api/v1/apps/{appId}/retention", "body"),
    ofCron: op("GET /api/v1/apps/{appId}/crons/{id}/retention"),
    setForCron: op("PUT /api/v1/apps/{appId}/crons/{id}/retention", "body"),
  },
  permissions: {
    /** The permissions there are: the installation's, and those of one's apps. */
    list: op("GET /api/v1/permissions"),
  },
  system: {
    /** Who one is, what one may do, and by which key. */
    me: op("GET /api/v1/me"),
    /** What drives the schedules, and whether this database is a copy. */
    status: op("GET /api/v1/system"),
    /** Makes this database the home of its schedules, so that they fire here. */
    release: op("POST /api/v1/admin/release"),
    /** Ticks once: for tests, and for schedulers outside. */
    tick: op("POST /api/v1/admin/tick"),
    /** Whether the server's process is up. */
    health: op("GET /healthz"),
    /** Whether its database answers as well. */
    ready: op("GET /readyz"),
  },
};

type Operations = typeof OPERATIONS;
type RoutesIn<G> = { [M in keyof G]: G[M] extends Operation<infer K> ? K : never }[keyof G];
type Reached = { [G in keyof Operations]: RoutesIn<Operations[G]> }[keyof Operations];
type None<Forgotten extends never> = Forgotten;

/** Fails to compile, naming the route, when one has no method above: give it one. */
export type ForgottenRoute = None<Exclude<RouteKey, Reached>>;
