import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import type { ApiSettings } from "../../src/config-api.js";
import { startServer, type ApiServer } from "../../src/api/server.js";
import { connect, type Sql } from "../../src/db/connect.js";
import type { Seeded } from "../../src/dev/seed/seed.js";
import type { TestDatabase } from "../helpers/database.js";
import { launch } from "./chromium.js";
import { createCompany, NOW } from "./company.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

export type Person = "jonas.lindqvist" | "maria.okafor" | "grace.mbeki" | "priya.raman";

export interface OpenOptions {
  /** Who is signed in; absent: nobody. */
  as?: Person;
  width?: number;
  height?: number;
  theme?: "light" | "dark";
  /** The visitor's own zone. */
  zone?: string;
}

/**
 * The dashboard of a company, in a real browser on a real server: one of each for a test file. The
 * clock stands still, at {@link NOW}, in the database, the server's answers and the browser.
 */
export class Site implements AsyncDisposable {
  readonly db: TestDatabase;
  readonly sql: Sql;
  readonly server: ApiServer;
  readonly seeded: Seeded;
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];
  /** What no page may ever do. */
  readonly faults: string[] = [];

  private constructor(
    parts: Pick<Site, "db" | "sql" | "server" | "seeded"> & { browser: Browser },
  ) {
    this.db = parts.db;
    this.sql = parts.sql;
    this.server = parts.server;
    this.seeded = parts.seeded;
    this.#browser = parts.browser;
  }

  static async start(settings: Partial<ApiSettings> = {}): Promise<Site> {
    const [{ db, seeded }, browser] = await Promise.all([createCompany(), launch()]);
    const sql = connect(db.url, { max: 5 });
    const log = { ...silent, error: (fields: object) => console.error(fields) };
    const server = await startServer({ host: "127.0.0.1", port: 0, sql, log, settings });
    return new Site({ db, sql, server, seeded, browser });
  }

  /** The id of a cron of the company: `crm/daily-digest`. */
  cron(name: string): string {
    const id = this.seeded.crons[name];
    if (id === undefined) throw new Error(`no cron ${name}`);
    return id;
  }

  /** A path of the page of a cron. */
  cronPath(name: string): string {
    return `/crons/${name.split("/")[0]}/${this.cron(name)}`;
  }

  /** Opens a page as somebody, in a browser profile of its own. */
  async open(path: string, options: OpenOptions = {}): Promise<Page> {
    const { as, width = 1440, height = 900, theme = "light", zone = "Europe/Berlin" } = options;
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      timezoneId: zone,
      locale: "en-GB",
      reducedMotion: "reduce",
    });
    this.#contexts.push(context);
    await context.clock.setFixedTime(NOW);
    const key = as && this.seeded.keys[as];
    if (key !== undefined) {
      await context.addInitScript((value) => sessionStorage.setItem("carillon.key", value), key);
    }
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    // The server's clock, too.
    await context.route(
      (url) => url.pathname.startsWith("/api/"),
      async (route) => {
        const response = await route.fetch().catch(() => undefined);
        if (response === undefined) await route.abort().catch(() => undefined);
        else {
          const headers = { ...response.headers(), date: NOW.toUTCString() };
          await route.fulfill({ response, headers }).catch(() => undefined);
        }
      },
    );
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    this.#watch(page);
    await page.goto(this.server.url + path);
    return page;
  }

  #watch(page: Page): void {
    const own = new URL(this.server.url).origin;
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "data:" && url.origin !== own) this.faults.push(`asks ${request.url()}`);
    });
    page.on("pageerror", (error) => this.faults.push(`threw ${error.message}`));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      // The browser tells of every refused request; what comes of it is for the page to show.
      if (message.text().includes("Failed to load resource")) return;
      this.faults.push(`console: ${message.text()}`);
    });
  }

  /** No console error, no request to elsewhere, nothing that the policy forbids. */
  expectNoFaults(): void {
    expect(this.faults).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#contexts.map((context) => context.close()));
    await this.#browser.close();
    await this.server.close();
    await this.sql.end({ timeout: 5 });
    await this.db.drop();
  }
}

interface AxeResult {
  violations: { id: string; help: string; nodes: { target: string[]; html: string }[] }[];
}

/** Nothing that hinders anybody, by axe: of every rule, not only the serious ones. */
export async function expectAccessible(page: Page): Promise<void> {
  // By the debugger's way: the policy lets no other code in, as it should.
  await page.evaluate(`${AXE};0`);
  const { violations } = await page.evaluate<AxeResult>(
    "axe.run(document, { resultTypes: ['violations'] })",
  );
  const told = violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n${nodes.map(({ target, html }) => `  ${target.join(" ")} ${html.slice(0, 160)}`).join("\n")}`,
  );
  expect(told.join("\n")).toBe("");
}

/** The page is not wider than its window: only tables scroll sideways, in their own box. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [scroll, client] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  expect(scroll).toBeLessThanOrEqual(client ?? 0);
}
