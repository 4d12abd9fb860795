import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import {
  expectAccessible,
  expectNoSidewaysScroll,
  type OpenOptions,
  type Person,
  type Site,
} from "./site.js";

/** A screen that is looked at. */
export interface Shot {
  name: string;
  path: (site: Site) => string | Promise<string>;
  /** What stands there when it is whole. */
  ready: string | RegExp;
  /** Its log is open: it never stops asking. */
  streams?: boolean;
  /** Who looks at it; null: nobody who has signed in. */
  as?: Person | null;
  /** What is done before the picture. */
  first?: (page: Page) => Promise<unknown>;
}

const of = (path: string) => () => path;

/** The newest job of the company of which something is so. */
export async function jobPath({ sql }: Site, app: string, where: string): Promise<string> {
  const [row] = await sql.unsafe<{ jobId: number }[]>(
    `select job_id from carillon.jobs where app_id = '${app}' and ${where} order by job_id desc limit 1`,
  );
  if (row === undefined) throw new Error(`no job of ${app} where ${where}`);
  return `/apps/${app}/jobs/${row.jobId}`;
}

const CALLED = "headers ? 'target' and status = 'completed' and attempt > 1";

/** Has the API answer every question of a kind in one way, and asks anew. */
const answering = (path: string, answer: "never" | "broken") => async (page: Page) => {
  await page.route(`**/api/v1/${path}`, (route) =>
    answer === "never" ? undefined : route.fulfill(BROKEN),
  );
  await page.reload();
};

const BROKEN = {
  status: 500,
  contentType: "application/problem+json",
  body: JSON.stringify({
    ...{ type: "urn:carillon:error:internal", title: "Internal error", status: 500 },
    ...{ code: "internal", instance: "0b1f7a9e", detail: "an unexpected error" },
    error: "an unexpected error",
  }),
};

/** Every screen, by its file's name. */
export const SHOTS: readonly Shot[] = [
  { name: "overview", path: of("/"), ready: "Running now" },
  { name: "overview-calm", path: of("/?app=assistant"), ready: "Nothing needs you" },
  { name: "crons", path: of("/crons"), ready: "rebuild-cube" },
  { name: "cron", path: (site) => site.cronPath("warehouse/stock-sync"), ready: "next slot" },
  {
    name: "cron-audit",
    path: (site) => `${site.cronPath("crm/daily-digest")}?tab=audit`,
    ready: "sales starts at nine",
  },
  ...(["calendar", "timing", "jobs", "runs"] as const).map((tab) => ({
    name: `cron-${tab}`,
    path: (site: Site) => `${site.cronPath("warehouse/stock-sync")}?tab=${tab}`,
    ready: {
      calendar: "Show as a table",
      timing: "Show as a table",
      jobs: "Enqueued",
      runs: /pg_cron/,
    }[tab],
  })),
  {
    name: "cron-configuration",
    path: (site) => `${site.cronPath("shop/price-feed-tokyo")}?tab=configuration`,
    ready: "Next 10 slots",
    first: (page) => page.getByRole("cell").first().waitFor(),
  },
  {
    name: "cron-paused",
    path: (site) => site.cronPath("analytics/heatmap-tiles"),
    ready: "Ledger",
  },
  {
    name: "cron-gave-up",
    path: (site) => site.cronPath("billing/dunning-emails"),
    ready: "Ledger",
  },
  { name: "cron-denied", path: (site) => site.cronPath("crm/territory-report"), ready: "Ledger" },
  {
    name: "cron-young",
    path: (site) => site.cronPath("shop/black-friday-warmup"),
    ready: "Ledger",
  },
  {
    name: "cron-gone",
    path: of("/crons/crm/00000000-0000-4000-8000-000000000000"),
    ready: "It is not here any more",
  },
  {
    name: "cron-run",
    path: (site) => site.cronPath("mail/newsletter"),
    ready: "Ledger",
    first: async (page) => {
      await page.getByRole("button", { name: /^Run/ }).first().click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "editor-new",
    path: of("/crons/billing/new"),
    ready: "Say when it fires.",
    first: async (page) => {
      await page.getByLabel("Name").first().fill("dunning-letters");
      await page.getByLabel("Schedule").first().fill("*/7 9-17 * * 1-5");
      await page.getByRole("table").getByRole("cell").first().waitFor();
    },
  },
  {
    name: "editor-target",
    path: (site) => `${site.cronPath("shop/price-feed-tokyo")}/edit`,
    ready: "What this means",
    first: (page) => page.getByRole("table").getByRole("cell").first().waitFor(),
  },
  {
    name: "editor-container",
    path: (site) => `${site.cronPath("analytics/export-s3")}/edit`,
    ready: "What this means",
    first: (page) => page.getByRole("table").getByRole("cell").first().waitFor(),
  },
  {
    name: "editor-manifest",
    path: (site) => `${site.cronPath("crm/daily-digest")}/edit`,
    ready: "declares this cron",
    first: (page) => page.getByRole("table").getByRole("cell").first().waitFor(),
  },
  {
    name: "editor-refused",
    path: (site) => `${site.cronPath("crm/daily-digest")}/edit`,
    as: "grace.mbeki",
    ready: "and not change it",
  },
  { name: "upcoming", path: of("/upcoming"), ready: "Falls together" },
  { name: "jobs", path: of("/jobs"), ready: /^Show more jobs/ },
  {
    name: "job",
    path: (site) => jobPath(site, "warehouse", "status = 'failed' and cron_id is not null"),
    ready: "Timeline",
    first: (page) => page.getByText(/— failed/).waitFor(),
  },
  { name: "job-http", path: (site) => jobPath(site, "billing", CALLED), ready: "HTTP exchange" },
  {
    name: "job-running",
    path: (site) => jobPath(site, "analytics", "status = 'running' and attempt = 1"),
    ready: "Live",
    streams: true,
  },
  { name: "dead-letters", path: of("/dead-letters"), ready: /letters$/ },
  { name: "doctor", path: of("/doctor"), ready: "checks passed" },
  { name: "keys", path: of("/admin/keys?whose=all"), ready: "pipeline-before" },
  { name: "people", path: of("/admin/people"), ready: "tom.becker" },
  { name: "roles", path: of("/admin/roles"), ready: "of-grace.mbeki" },
  { name: "apps", path: of("/admin/apps"), ready: "Morning assistant" },
  { name: "secrets", path: of("/admin/secrets?app=billing"), ready: "PAYMENTS_TOKEN" },
  { name: "targets", path: of("/admin/targets?app=shop"), ready: "feed.larkfield.example" },
  { name: "audit", path: of("/admin/audit"), ready: "cron.update" },
  { name: "settings", path: of("/admin/settings"), ready: "365 days" },
  {
    name: "new-role",
    path: of("/admin/roles"),
    ready: "of-grace.mbeki",
    first: async (page) => {
      await page.getByRole("button", { name: "New role" }).click();
      await page.getByText("app:analytics:*").first().waitFor();
    },
  },
  {
    name: "palette",
    path: of("/crons"),
    ready: "rebuild-cube",
    first: async (page) => {
      await page.keyboard.press("Control+k");
      await page.getByLabel("Go to a page, a cron or a job").fill("sync");
      await page.getByRole("option", { name: /lead-sync/ }).waitFor();
    },
  },
  {
    name: "help",
    path: of("/upcoming"),
    ready: "Falls together",
    first: async (page) => {
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    },
  },
  // What stands where there is nothing, and while the server or the network is not there.
  { name: "sign-in", path: of("/"), as: null, ready: "Sign in to Carillon" },
  { name: "no-page", path: of("/nowhere"), ready: "No such page" },
  { name: "none-crons", path: of("/crons?q=zebra"), ready: "No cron matches these filters" },
  { name: "none-jobs", path: of("/jobs?tag=zebra"), ready: /^No job/ },
  { name: "none-letters", path: of("/dead-letters?app=assistant"), ready: /^No dead letters/ },
  {
    name: "none-keys",
    path: of("/admin/secrets?app=assistant"),
    ready: "assistant has no secrets",
  },
  { name: "not-allowed", path: of("/doctor"), as: "priya.raman", ready: /system:read/ },
  {
    name: "failed-crons",
    path: of("/crons"),
    ready: "rebuild-cube",
    first: async (page) => {
      await answering("cron-summaries**", "broken")(page);
      await page.getByText("Something went wrong on the server").first().waitFor();
    },
  },
  {
    name: "failed-overview",
    path: of("/"),
    ready: "Running now",
    first: async (page) => {
      await answering("attention**", "broken")(page);
      await page.getByText("Something went wrong on the server").first().waitFor();
    },
  },
  {
    name: "reading-crons",
    path: of("/crons"),
    ready: "rebuild-cube",
    streams: true,
    first: async (page) => {
      await answering("cron-summaries**", "never")(page);
      await page
        .getByText(/^Still reading, \d+ s/)
        .first()
        .waitFor();
    },
  },
  {
    name: "offline",
    path: of("/"),
    ready: "Running now",
    first: async (page) => {
      await page.context().setOffline(true);
      await page.getByText("You are offline.").waitFor();
    },
  },
  {
    name: "selected-crons",
    path: of("/crons"),
    ready: "rebuild-cube",
    first: async (page) => {
      for (const name of ["rebuild-cube", "daily-digest"]) {
        await page.getByLabel(`Select ${name}`).check();
      }
    },
  },
  {
    name: "new-key",
    path: async ({ sql }) => {
      await sql`
        update carillon.api_keys set mints_keys = true
        where principal_id = (select id from carillon.principals where username = 'jonas.lindqvist')`;
      return "/admin/keys";
    },
    ready: "New key",
    first: (page) => page.getByRole("button", { name: "New key", exact: true }).click(),
  },
];

/** As high as the page is, as far as one can still read it on one picture. */
async function wholeHeight(page: Page, least: number): Promise<number> {
  const hidden = await page.evaluate(() => {
    const main = document.getElementById("main");
    return main === null ? 0 : main.scrollHeight - main.clientHeight;
  });
  return Math.min(least + hidden, HIGHEST);
}

const HIGHEST = 1600;

const SIZES = [
  [1440, 900],
  [390, 844],
] as const;

/** Opens a screen, and waits until it is whole. */
export async function openShot(site: Site, shot: Shot, look: OpenOptions): Promise<Page> {
  const { as = "jonas.lindqvist" } = shot;
  const page = await site.open(await shot.path(site), { ...(as !== null && { as }), ...look });
  await page.getByText(shot.ready).first().waitFor();
  await shot.first?.(page);
  if (shot.streams !== true) await page.waitForLoadState("networkidle");
  return page;
}

/** Holds a screen, in both themes, wide and on a phone, to what holds for all; and keeps its pictures. */
export async function lookAt(site: Site, shot: Shot, folder: string | undefined): Promise<void> {
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  const page = await openShot(site, shot, {});
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await expectNoSidewaysScroll(page);
      // That colours differ enough is held of all of them: one theme of each size is enough here.
      if (folder !== undefined || width > 640 === (colorScheme === "light")) {
        await expectAccessible(page);
      }
      if (folder !== undefined) {
        await page.setViewportSize({ width, height: await wholeHeight(page, height) });
        await page.screenshot({ path: join(folder, `${shot.name}-${colorScheme}-${width}.png`) });
        await page.setViewportSize({ width, height });
      }
    }
  }
}
