import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type axeCore from "axe-core";
import { chromium, type Browser, type Page } from "playwright-core";
import type { Caller } from "../api/api.js";

/** What a browser may be called; CHROMIUM names another. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

/** How a page is looked at. */
export interface Looks {
  width?: number;
  height?: number;
  dark?: boolean;
}

/** A real browser; its pages complain of what no page may do. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<TestBrowser> {
    const executablePath = process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path));
    if (executablePath === undefined) throw new Error("there is no Chromium; name one in CHROMIUM");
    return new TestBrowser(await chromium.launch({ executablePath, args: ["--no-sandbox"] }));
  }

  /** Opens a page of a server as somebody, in a tab that shares nothing with others. */
  async open(url: string, caller: Caller, looks: Looks = {}): Promise<OpenPage> {
    const { width = 1440, height = 900, dark = false } = looks;
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      reducedMotion: "reduce",
      acceptDownloads: true,
    });
    await context.addInitScript(
      ([key]) => sessionStorage.setItem("carillon.key", key ?? ""),
      [caller.key],
    );
    const page = await context.newPage();
    const open = new OpenPage(page, new URL(url).origin);
    await page.goto(url);
    return open;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** A page with all it did wrong: errors of its console and scripts, and requests to other sites. */
export class OpenPage implements AsyncDisposable {
  readonly page: Page;
  readonly complaints: string[] = [];
  /** Paths of the API that were asked for, with their queries, in order. */
  readonly asked: string[] = [];

  constructor(page: Page, origin: string) {
    this.page = page;
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("request", (request) => {
      const { protocol, pathname, search, origin: other } = new URL(request.url());
      if (protocol.startsWith("http") && other !== origin) this.complaints.push(request.url());
      if (pathname.startsWith("/api/")) this.asked.push(pathname + search);
    });
  }

  /** What axe finds against WCAG 2.2 AA: none is the only good answer. */
  async axe(): Promise<string[]> {
    await this.page.evaluate(axeSource);
    const found = await this.page.evaluate(async () => {
      const { axe } = window as unknown as { axe: typeof axeCore };
      const { violations } = await axe.run(document, { resultTypes: ["violations"] });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    });
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}
