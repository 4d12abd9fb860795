import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import type { ApiSettings } from "../../src/config-api.js";
import type { ApiServer } from "../../src/api/server.js";
import type { Sql } from "../../src/db/connect.js";
import type { Seeded } from "../../src/dev/seed/seed.js";
import { TestApi, type Caller } from "../api/api.js";
import type { TestDatabase } from "../helpers/database.js";
import { launch } from "./chromium.js";
import { createCompany, NOW } from "./company.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export type Person = "jonas.lindqvist" | "maria.okafor" | "grace.mbeki" | "priya.raman";

export interface OpenOptions {
  /** Who is signed in, by a key; absent: nobody. */
  as?: Person | Caller;
  width?: number;
  height?: number;
  theme?: "light" | "dark";
  /** The visitor's own zone. */
  zone?: string;
  cookies?: Readonly<Record<string, string>>;
}

/** What an app of its own begins with: nobody but the one who may do everything, and the real clock. */
const NOBODY: Seeded = { keys: {}, crons: {}, jobs: 0 };

/**
 * The dashboard in a real browser on a real server: one of each for a test file. A page is closed
 * when its test ends, and has then done nothing that no page may do: no error, no request to another
 * site, nothing that the policy forbids.
 */
export class Site implements AsyncDisposable {
  readonly api: TestApi;
  readonly seeded: Seeded;
  readonly #browser: Browser;
  /** When everything happens; undefined: now. */
  readonly #now: Date | undefined;
  readonly #faults: string[] = [];
  readonly #asked = new WeakMap<Page, string[]>();

  private constructor(api: TestApi, browser: Browser, seeded: Seeded, now: Date | undefined) {
    this.api = api;
    this.#browser = browser;
    this.seeded = seeded;
    this.#now = now;
  }

  /** Of a company, whose clock stands still at {@link NOW}: in the database, the answers, the browser. */
  static async start(settings: Partial<ApiSettings> = {}): Promise<Site> {
    const [{ db, seeded }, browser] = await Promise.all([createCompany(), launch()]);
    const api = await TestApi.over(db, (sql) => jonas(sql, seeded), settings);
    return new Site(api, browser, seeded, NOW);
  }

  /** Of an installation with nothing in it, by the real clock: for what streams and what moves. */
  static async empty(settings: Partial<ApiSettings> = {}): Promise<Site> {
    const [api, browser] = await Promise.all([TestApi.start(settings), launch()]);
    return new Site(api, browser, NOBODY, undefined);
  }

  get db(): TestDatabase {
    return this.api.db;
  }

  get sql(): Sql {
    return this.api.sql;
  }

  get server(): ApiServer {
    return this.api.server;
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

  /** What a page asked of the API so far, in order: `GET /api/v1/…`. */
  asked(page: Page): readonly string[] {
    return this.#asked.get(page) ?? [];
  }

  /** Opens a page as somebody, in a browser profile of its own; it is closed when the test ends. */
  async open(path: string, options: OpenOptions = {}): Promise<Page> {
    const { as, width = 1440, height = 900, theme = "light", zone = "Europe/Berlin" } = options;
    const context = await this.#browser.newContext({
      baseURL: this.server.url,
      viewport: { width, height },
      colorScheme: theme,
      timezoneId: zone,
      locale: "en-GB",
      reducedMotion: "reduce",
    });
    onTestFinished(async () => {
      await context.close();
      this.expectNoFaults();
    });
    if (this.#now !== undefined) await stopClock(context, this.#now);
    const key = typeof as === "string" ? this.seeded.keys[as] : as?.key;
    if (key !== undefined) {
      await context.addInitScript((value) => sessionStorage.setItem("carillon.key", value), key);
    }
    const cookies = Object.entries(options.cookies ?? {});
    await context.addCookies(
      cookies.map(([name, value]) => ({ name, value, url: this.server.url })),
    );
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    this.#watch(page);
    await page.goto(this.server.url + path);
    return page;
  }

  #watch(page: Page): void {
    const own = new URL(this.server.url).origin;
    const asked: string[] = [];
    this.#asked.set(page, asked);
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.origin !== own) {
        this.#faults.push(`asks ${request.url()}`);
      }
      if (url.pathname.startsWith("/api/")) {
        asked.push(`${request.method()} ${url.pathname}${url.search}`);
      }
    });
    page.on("pageerror", (error) => this.#faults.push(`threw ${error.message}`));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      // The browser tells of every refused request; what comes of it is for the page to show.
      if (message.text().includes("Failed to load resource")) return;
      this.#faults.push(`console: ${message.text()}`);
    });
  }

  /** No console error, no request to elsewhere, nothing that the policy forbids; once for each. */
  expectNoFaults(): void {
    expect(this.#faults.splice(0)).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.api[Symbol.asyncDispose]();
  }
}

/** Who may do everything in the company. */
async function jonas(sql: Sql, { keys }: Seeded): Promise<Caller> {
  const username = "jonas.lindqvist";
  const [row] = await sql<{ id: string; keyId: string }[]>`
    select p.id, k.id as key_id
    from carillon.principals p join carillon.api_keys k on k.principal_id = p.id
    where p.username = ${username} order by k.created_at limit 1`;
  if (row === undefined) throw new Error(`nobody is called ${username}`);
  return { ...row, username, key: keys[username] ?? "" };
}

/** In the browser, and in what the server says the time is. */
async function stopClock(context: BrowserContext, now: Date): Promise<void> {
  await context.clock.setFixedTime(now);
  await context.route(
    (url) => /^\/(api\/|readyz|healthz)/.test(url.pathname),
    async (route) => {
      const response = await route.fetch().catch(() => undefined);
      if (response === undefined) await route.abort().catch(() => undefined);
      else {
        const headers = { ...response.headers(), date: now.toUTCString() };
        await route.fulfill({ response, headers }).catch(() => undefined);
      }
    },
  );
}

interface AxeResult {
  violations: { id: string; help: string; nodes: { target: string[]; html: string }[] }[];
}

/** Nothing that hinders anybody, by axe: of every rule, not only the serious ones. */
export async function expectAccessible(page: Page): Promise<void> {
  expect((await axeOf(page)).join("\n")).toBe("");
}

/** What axe finds, each with where. */
export async function axeOf(page: Page): Promise<string[]> {
  // By the debugger's way: the policy lets no other code in, as it should.
  await page.evaluate(`${AXE};0`);
  const { violations } = await page.evaluate<AxeResult>(
    "axe.run(document, { resultTypes: ['violations'] })",
  );
  return violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n${nodes.map(({ target, html }) => `  ${target.join(" ")} ${html.slice(0, 160)}`).join("\n")}`,
  );
}

/** The page is not wider than its window: only tables scroll sideways, in their own box. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [scroll, client] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  expect(scroll).toBeLessThanOrEqual(client ?? 0);
}
