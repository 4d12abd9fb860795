import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expectAccessible, expectNoSidewaysScroll, type OpenOptions, type Site } from "./site.js";

/** A screen that is looked at. */
export interface Shot {
  name: string;
  path: (site: Site) => string | Promise<string>;
  /** What stands there when it is whole. */
  ready: string | RegExp;
  /** Its log is open: it never stops asking. */
  streams?: boolean;
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
];

const SIZES = [
  [1440, 900],
  [390, 844],
] as const;

/** Opens a screen, and waits until it is whole. */
export async function openShot(site: Site, shot: Shot, look: OpenOptions): Promise<Page> {
  const page = await site.open(await shot.path(site), { as: "jonas.lindqvist", ...look });
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
        await page.screenshot({ path: join(folder, `${shot.name}-${colorScheme}-${width}.png`) });
      }
    }
  }
}
