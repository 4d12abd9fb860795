import type { CronInput } from "../../db/crons.js";

/*
 * Larkfield, a distributor of parts that does not exist: an office in Berlin, a warehouse in
 * Rotterdam, a shop in New York, customers in Tokyo and São Paulo. What its crons went through is in
 * their stories, which history.ts tells.
 */

export interface SeedPerson {
  username: string;
  kind?: "user" | "service";
  permissions: string[];
}

const READ = ["cron.read", "job.read", "audit.read"];
const of = (app: string, ...names: string[]) => names.map((name) => `app:${app}:${name}`);

export const APPS = [
  { id: "crm", name: "Customers" },
  { id: "billing", name: "Billing" },
  { id: "warehouse", name: "Warehouse" },
  { id: "mail", name: "Mail" },
  { id: "analytics", name: "Analytics" },
  { id: "compliance", name: "Compliance" },
  { id: "shop", name: "Shop" },
  { id: "assistant", name: "Morning assistant" },
] as const;

export type AppId = (typeof APPS)[number]["id"];

export const PEOPLE: readonly SeedPerson[] = [
  { username: "jonas.lindqvist", permissions: ["*"] },
  { username: "maria.okafor", permissions: ["app:*"] },
  { username: "priya.raman", permissions: of("billing", "*") },
  { username: "aylin.demir", permissions: [...of("warehouse", "*"), ...of("shop", ...READ)] },
  { username: "lena.novak", permissions: of("analytics", "*") },
  { username: "noor.el-amin", permissions: [...of("crm", "*"), ...of("mail", "*")] },
  { username: "hanna.virtanen", permissions: ["app:compliance:*", "system:audit.read"] },
  { username: "tom.becker", permissions: of("crm", "*") },
  {
    username: "grace.mbeki",
    permissions: [...APPS.flatMap(({ id }) => of(id, ...READ)), "system:audit.read", "system:read"],
  },
  { username: "deploy-ci", kind: "service", permissions: ["app:*"] },
  { username: "grafana-reader", kind: "service", permissions: of("analytics", ...READ) },
];

/** What happened to a cron, besides an ordinary life. */
export type Story =
  "overlaps" | "gives_up" | "denied" | "retries" | "flaky" | "fails_now" | "dead_letters" | "once";

export interface SeedCron extends CronInput {
  app: AppId;
  owner: string;
  /** Days of history. */
  days: number;
  /** Seconds that half of its jobs take less than, and how widely they differ. */
  median: number;
  spread: number;
  /** The share of attempts that fail. */
  fails: number;
  story?: Story;
  /** Paused by hand: who, how many days ago, and why. */
  paused?: { by: string; days: number; note: string };
}

const cron = (
  app: AppId,
  name: string,
  schedule: string,
  timezone: string,
  days: number,
  median: number,
  more: Partial<SeedCron> = {},
): SeedCron => ({
  ...{ app, name, schedule, timezone, days, median, spread: 0.35, fails: 0.003 },
  ...{ owner: OWNERS[app], payload: { method: camel(name) } },
  ...more,
});

const OWNERS: Record<AppId, string> = {
  ...{ crm: "noor.el-amin", billing: "priya.raman", warehouse: "aylin.demir" },
  ...{ mail: "noor.el-amin", analytics: "lena.novak", compliance: "hanna.virtanen" },
  ...{ shop: "maria.okafor", assistant: "maria.okafor" },
};

const camel = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const BERLIN = "Europe/Berlin";
const NEW_YORK = "America/New_York";

export const CRONS: readonly SeedCron[] = [
  cron("crm", "daily-digest", "0 9 * * 1-5", NEW_YORK, 400, 1.3, { maxAttempts: 3 }),
  cron("crm", "lead-sync", "*/5 * * * *", "GMT", 14, 2.1, { fails: 0.01, maxAttempts: 3 }),
  cron("crm", "territory-report", "30 7 * * *", BERLIN, 200, 8, {
    ...{ owner: "tom.becker", story: "denied" },
  }),
  cron("crm", "sync-contacts", "0 * * * *", "GMT", 90, 14),
  cron("crm", "cleanup-drafts", "0 0 * * *", "GMT", 400, 3.2),
  cron("billing", "dunning-emails", "0 10 * * 1-5", BERLIN, 400, 42, {
    ...{ story: "gives_up", maxConsecutiveFailures: 5 },
  }),
  cron("billing", "charge-renewals", "15 * * * *", "GMT", 180, 11, {
    ...{ story: "retries", fails: 0.06, maxAttempts: 4, retryDelay: 20, spread: 0.6 },
    payload: { method: "chargeRenewals", currency: "EUR", batch: 250, customer: "株式会社ラーク" },
  }),
  cron("billing", "month-end-close", "0 23 $ * *", BERLIN, 400, 8100, { spread: 0.2 }),
  cron("billing", "fx-rates", "30 2 * * *", BERLIN, 400, 0.9),
  cron("billing", "invoice-archive", "every 2 days from 2026-01-05T04:00", BERLIN, 320, 95),
  cron("billing", "sync-ledger", "0 * * * *", "GMT", 90, 6, { fails: 0.006 }),
  cron("warehouse", "stock-sync", "*/5 * * * *", "GMT", 30, 210, { story: "overlaps" }),
  cron("warehouse", "label-print", "30 seconds", "GMT", 1.05, 1.1, {
    ...{ story: "dead_letters", spread: 0.5 },
  }),
  cron("warehouse", "dock-scan", "10 seconds", "GMT", 1.05, 0.24),
  cron("warehouse", "cycle-count", "0 5 * * 1-6", "Europe/Amsterdam", 400, 640),
  cron("warehouse", "cutover-2027", "at 2027-01-04T06:00", "Europe/Amsterdam", 0, 60, {
    story: "once",
  }),
  cron("warehouse", "sync-carriers", "0 * * * *", "GMT", 90, 4.4, { fails: 0.008 }),
  cron("mail", "newsletter", "0 8 * * 2", "America/Sao_Paulo", 400, 380, {
    payload: {
      method: "newsletter",
      subject: "Peças novas em novembro 🔩",
      greeting: "مرحبًا ليلى",
    },
  }),
  cron("mail", "bounce-sweep", "*/10 * * * *", "GMT", 30, 1.8, { jitter: 30 }),
  cron("mail", "nightly-digest", "0 0 * * *", BERLIN, 400, 25),
  cron("analytics", "rollup-hourly", "5 * * * *", "GMT", 180, 38, { spread: 0.5 }),
  cron("analytics", "rebuild-cube", "0 1 * * 0", "GMT", 400, 13_800, {
    ...{ story: "fails_now", spread: 0.25 },
  }),
  cron("analytics", "export-s3", "0 */6 * * *", "GMT", 180, 72, {
    ...{ story: "flaky", fails: 0.09, maxAttempts: 3, retryDelay: 30 },
    target: {
      ...{ type: "container", image: "registry.example/analytics/export:4.2", memory: 1024 },
      ...{ cmd: ["export", "--to", "s3://larkfield-exports"], env: { REGION: "eu-central-1" } },
      timeout: 900,
    },
  }),
  cron("analytics", "heatmap-tiles", "20 * * * *", "GMT", 60, 22, {
    paused: { by: "lena.novak", days: 9, note: "index rebuild, back when the vacuum is through" },
  }),
  cron("analytics", "nightly-snapshots", "0 0 * * *", "GMT", 400, 310),
  cron("compliance", "retention", "0 3 * * *", "GMT", 400, 130),
  cron("compliance", "audit-digest", "0 7 1 * *", BERLIN, 400, 17),
  cron("compliance", "gdpr-requests", "0 0 13 * 5", BERLIN, 400, 9),
  cron("shop", "price-feed-tokyo", "0 9 * * *", "Asia/Tokyo", 400, 51, {
    ...{ maxAttempts: 3, expiresAfter: 3600, tags: ["prices", "tokyo"] },
    target: {
      ...{ type: "http", method: "PUT", url: "https://feed.larkfield.example/prices/tokyo" },
      headers: { authorization: "Bearer {{secret.FEED_KEY}}", "x-region": "jp" },
      timeout: 60,
    },
  }),
  cron("shop", "cart-reminders", "*/15 8-21 * * *", NEW_YORK, 60, 3.4),
  cron("shop", "black-friday-warmup", "at 2026-11-27T05:30", NEW_YORK, 0, 600, { story: "once" }),
  cron("shop", "sitemap", "0 4 * * 1", "Australia/Lord_Howe", 400, 12),
  cron(
    "shop",
    "sync-inventory-across-all-regional-storefronts-and-marketplaces",
    "0 * * * *",
    "GMT",
    60,
    19,
  ),
  cron("assistant", "morning-brief", "45 6 * * 1-5", BERLIN, 200, 28, {
    ...{
      spread: 0.5,
      payload: { message: "Summarise what changed overnight for the Berlin team" },
    },
  }),
];

/** What handlers threw. */
export const MESSAGES: readonly string[] = [
  "connect ETIMEDOUT 192.0.2.41:443",
  "payments answered 503 Service Unavailable",
  "carrier API answered 503",
  "read ECONNRESET",
  'duplicate key value violates unique constraint "orders_number_key"',
  "invalid VAT id DE13690297X",
  "Cannot read properties of null (reading 'currency')",
  "429 Too Many Requests: slow down for 30 s",
  'could not obtain lock on row in relation "stock"',
  "ENOSPC: no space left on device, write",
  "certificate has expired: feed.larkfield.example",
  "Unexpected token '<', \"<!doctype \"... is not valid JSON",
  "550 mailbox unavailable",
  "order LF-2026-118842 has no lines",
];
