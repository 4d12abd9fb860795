import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type ApiServer } from "../../src/api/server.js";
import { connect } from "../../src/db/connect.js";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const log = { ...silent, error: () => undefined };
const HTML = "text/html,application/xhtml+xml,*/*;q=0.8";
const SCRIPT = "console.log('a')".repeat(50);
const INDEX = `<!doctype html><html lang="en"><script type="application/json">{"base":"./"}</script>
<script type="module" src="./assets/main-AbC1.js"></script><link href="./assets/main-AbC1.css"></html>`;

const sql = connect("postgres://nobody@127.0.0.1:1/none", { max: 1 });
let folder = "";
let root: ApiServer;
let below: ApiServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "page-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), INDEX);
  await writeFile(join(folder, "favicon.svg"), "<svg/>");
  await writeFile(join(folder, "assets/main-AbC1.js"), SCRIPT);
  await writeFile(join(folder, "assets/main-AbC1.js.br"), brotliCompressSync(SCRIPT));
  await writeFile(join(folder, "stamp.json"), "{}");
  const local = { host: "127.0.0.1", port: 0, log, sql, pageFolder: folder };
  root = await startServer(local);
  below = await startServer({ ...local, settings: { basePath: "/ops/carillon/" } });
});

afterAll(async () => {
  await root.close();
  await below.close();
  await sql.end();
  await rm(folder, { recursive: true });
});

const open = (path: string, headers: Record<string, string> = {}, server = root) =>
  fetch(server.url + path, { headers: { accept: HTML, ...headers } });

/** fetch would undo the encoding before one sees it. */
const raw = (path: string, headers: Record<string, string>) =>
  new Promise<{ encoding: string | undefined; body: Buffer }>((resolve) => {
    get(root.url + path, { headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () =>
        resolve({ encoding: response.headers["content-encoding"], body: Buffer.concat(parts) }),
      );
    });
  });

describe("the document", () => {
  test("answers a browser on every path of the page, and is asked for anew each time", async () => {
    for (const path of ["/", "/crons", "/crons/crm/4f1c?tab=audit", "/apiary", "/docsify"]) {
      const answer = await open(path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(answer.headers.get("cache-control")).toBe("no-cache");
      expect(await answer.text()).toContain('src="/assets/main-AbC1.js"');
    }
  });

  test("is 304 while it is the same", async () => {
    const etag = (await open("/")).headers.get("etag") ?? "";
    expect((await open("/", { "if-none-match": etag })).status).toBe(304);
    const dark = await open("/", { "if-none-match": etag, cookie: "carillon_theme=dark" });
    expect(dark.status).toBe(200);
  });

  test("lets in no code but its own files", async () => {
    const { headers } = await open("/");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'; style-src 'self';");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(headers.get("referrer-policy")).toBe("same-origin");
  });

  test("comes in the theme of the cookie, and takes nothing else from it", async () => {
    const themed = async (cookie: string) => (await open("/", { cookie })).text();
    expect(await themed("a=b; carillon_theme=dark; c=d")).toContain('<html data-theme="dark" ');
    for (const cookie of ["carillon_theme=d", 'carillon_theme=dark"><script>', "x=1"]) {
      expect(await themed(cookie)).toContain('<html lang="en">');
    }
  });

  test("is no answer to a program, a change, or what is the API's", async () => {
    expect((await open("/crons", { accept: "*/*" })).status).toBe(404);
    expect((await open("/crons", { accept: "application/json" })).status).toBe(404);
    for (const path of ["/api", "/api/v2/crons", "/assets/gone.js", "/docs/x", "/healthz/x"]) {
      const answer = await open(path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    }
    const post = await fetch(`${root.url}/crons`, { method: "POST", headers: { accept: HTML } });
    expect(post.status).toBe(404);
    const { status, headers } = await open("/healthz");
    expect([status, headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
  });
});

describe("its files", () => {
  test("are kept for ever where their name says what they hold", async () => {
    const script = await open("/assets/main-AbC1.js");
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(await script.text()).toBe(SCRIPT);
    expect((await open("/favicon.svg")).headers.get("cache-control")).toBe("no-cache");
  });

  test("go out as they were compressed, to whom that is of use", async () => {
    const br = await raw("/assets/main-AbC1.js", { "accept-encoding": "gzip, br" });
    expect(br.encoding).toBe("br");
    expect(brotliDecompressSync(br.body).toString()).toBe(SCRIPT);
    const plain = await raw("/assets/main-AbC1.js", {});
    expect([plain.encoding, plain.body.toString()]).toEqual([undefined, SCRIPT]);
    const none = await raw("/assets/main-AbC1.js", { "accept-encoding": "gzip" });
    expect([none.encoding, none.body.toString()]).toEqual([undefined, SCRIPT]);
  });

  test("are only those of the page, by their very path", async () => {
    for (const path of ["/stamp.json", "/assets/main-AbC1.js.br", "/assets/../index.html"]) {
      expect([path, (await open(path, { accept: "*/*" })).status]).toEqual([path, 404]);
    }
    const { body } = await raw("/assets/%2e%2e/%2e%2e/package.json", {});
    expect(JSON.parse(body.toString())).toMatchObject({ code: "route_not_found" });
  });
});

describe("below a base path", () => {
  test("everything works with the path left on, and with the path taken off", async () => {
    for (const path of ["/ops/carillon/crons", "/crons", "/ops/carillon", "/ops/carillon?x=1"]) {
      const answer = await open(path, {}, below);
      expect([path, answer.status]).toEqual([path, 200]);
      const text = await answer.text();
      expect(text).toContain('src="/ops/carillon/assets/main-AbC1.js"');
      expect(text).toContain('{"base":"/ops/carillon/"}');
    }
    for (const path of ["/ops/carillon/assets/main-AbC1.js", "/ops/carillon/healthz", "/healthz"]) {
      expect((await open(path, {}, below)).status).toBe(200);
    }
    expect((await open("/ops/carillonx", { accept: "*/*" }, below)).status).toBe(404);
  });
});
