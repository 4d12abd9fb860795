import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { TestApi, type Caller } from "../api/api.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Debian's, or what CHROMIUM names. */
const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);

/** What a page may not do: write errors to its console, or ask another site. */
export interface Complaint {
  kind: "console" | "error" | "request";
  text: string;
}

/** A visitor of the dashboard: one signed-in tab, and all that went wrong in it. */
export class Visitor implements AsyncDisposable {
  readonly complaints: Complaint[] = [];
  readonly page: Page;
  readonly context: BrowserContext;

  constructor(page: Page, context: BrowserContext, origin: string) {
    this.page = page;
    this.context = context;
    page.on("console", (message) => {
      // The browser itself writes one for each answer that is a refusal.
      if (message.type() !== "error" || message.text().startsWith("Failed to load resource"))
        return;
      this.complaints.push({ kind: "console", text: message.text() });
    });
    page.on("pageerror", (error) => {
      this.complaints.push({ kind: "error", text: error.message });
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !url.startsWith("data:")) {
        this.complaints.push({ kind: "request", text: url });
      }
    });
  }

  /** What axe finds, each with where. */
  async axe(): Promise<string[]> {
    // The policy lets no script in; the debugger's own world is not bound by it.
    const { readFile } = await import("node:fs/promises");
    await this.page.evaluate(await readFile(AXE, "utf8"));
    return this.page.evaluate(async () => {
      type Found = { id: string; nodes: { html: string; failureSummary?: string }[] };
      const { axe } = window as unknown as {
        axe: { run: () => Promise<{ violations: Found[] }> };
      };
      const { violations } = await axe.run();
      return violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary ?? ""}`).join("\n  ")}`,
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}

interface Look {
  theme?: "light" | "dark";
  width?: number;
  height?: number;
  zone?: string;
}

/** The dashboard of a real server on a real database, and a real browser to visit it. */
export class Dashboard implements AsyncDisposable {
  readonly api: TestApi;
  private readonly browser: Browser;

  private constructor(api: TestApi, browser: Browser) {
    this.api = api;
    this.browser = browser;
  }

  static async start(): Promise<Dashboard> {
    const api = await TestApi.start();
    const browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ["--no-sandbox", "--disable-gpu"],
    });
    return new Dashboard(api, browser);
  }

  /** Somebody comes, signed in, to an address such as `/crons`. */
  async visit(who: Caller, path: string, look: Look = {}): Promise<Visitor> {
    const { theme = "light", width = 1280, height = 900, zone = "Europe/Berlin" } = look;
    const context = await this.browser.newContext({
      baseURL: this.api.server.url,
      viewport: { width, height },
      colorScheme: theme,
      timezoneId: zone,
      locale: "en-GB",
      reducedMotion: "reduce",
    });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    await page.addInitScript((key) => {
      sessionStorage.setItem("carillon.key", key);
    }, who.key);
    const visitor = new Visitor(page, context, this.api.server.url);
    await page.goto(path);
    return visitor;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.api[Symbol.asyncDispose]();
  }
}
