import type { BrowserContext, Page } from "playwright-core";
import type { Caller, TestApi } from "../api/api.js";
import { axeOf, Site, type OpenOptions } from "./site.js";

/** A page of {@link Site} under the names that tests of the editor know it by. */
export class Visitor implements AsyncDisposable {
  /** What a page may not do fails its test by itself: see Site. */
  readonly complaints: readonly string[] = [];
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  axe(): Promise<string[]> {
    return axeOf(this.page);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}

export class Dashboard implements AsyncDisposable {
  readonly #site: Site;

  private constructor(site: Site) {
    this.#site = site;
  }

  static async start(): Promise<Dashboard> {
    return new Dashboard(await Site.empty());
  }

  get api(): TestApi {
    return this.#site.api;
  }

  async visit(who: Caller, path: string, look: OpenOptions = {}): Promise<Visitor> {
    return new Visitor(await this.#site.open(path, { width: 1280, ...look, as: who }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#site[Symbol.asyncDispose]();
  }
}
