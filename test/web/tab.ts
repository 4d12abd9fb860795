import type { Browser, Page } from "playwright-core";
import type { Caller, TestApi } from "../api/api.js";
import { launch } from "./chromium.js";

/** How a page is looked at. */
export interface Looks {
  width?: number;
  height?: number;
  dark?: boolean;
}

/**
 * A real browser on an API of its own, by the real clock: for what streams and what moves. A company
 * whose clock stands still is in site.ts.
 */
export class Tabs implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #api: TestApi;

  private constructor(browser: Browser, api: TestApi) {
    this.#browser = browser;
    this.#api = api;
  }

  static async start(api: TestApi): Promise<Tabs> {
    return new Tabs(await launch(), api);
  }

  /** Opens a page as somebody, in a profile that shares nothing with others. */
  async open(path: string, caller: Caller, looks: Looks = {}): Promise<Tab> {
    const { width = 1440, height = 900, dark = false } = looks;
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      ...{ reducedMotion: "reduce", locale: "en-GB", timezoneId: "Europe/Berlin" },
    });
    await context.addInitScript((key) => sessionStorage.setItem("carillon.key", key), caller.key);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const tab = new Tab(page, new URL(this.#api.server.url).origin);
    await page.goto(this.#api.server.url + path);
    return tab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** A page with all it did wrong: errors of its console and scripts, and requests to other sites. */
export class Tab implements AsyncDisposable {
  readonly page: Page;
  readonly faults: string[] = [];
  /** What the page asked of the API, in order: `GET /api/v1/…`. */
  readonly asked: string[] = [];

  constructor(page: Page, origin: string) {
    this.page = page;
    page.on("console", (message) => {
      if (message.type() === "error") this.faults.push(message.text());
    });
    page.on("pageerror", (error) => this.faults.push(String(error)));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.origin !== origin) this.faults.push(url.href);
      if (url.pathname.startsWith("/api/")) {
        this.asked.push(`${request.method()} ${url.pathname}${url.search}`);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}
