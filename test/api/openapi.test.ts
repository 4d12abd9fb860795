import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Validator } from "@seriousme/openapi-schema-validator";
import createClient from "openapi-fetch";
import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openApiDocument } from "../../src/api/openapi/document.js";
import { ROUTES } from "../../src/api/routes/index.js";
import { CronSpec } from "../../src/manifest/schema.js";
import { TestApi } from "./api.js";
import { label } from "./samples.js";

interface Operation {
  operationId: string;
  description: string;
  parameters: { name?: string; in?: string; required?: boolean; $ref?: string }[];
  requestBody?: { required: boolean; content: Record<string, { schema: object }> };
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: object }> }>;
  security?: object[];
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, object>>;
}

let api: TestApi;
let document: Document;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm", { crons: [{ name: "daily", schedule: "0 9 * * *" }] });
  const response = await fetch(`${api.server.url}/openapi.json`);
  document = (await response.json()) as Document;
});
afterAll(() => api[Symbol.asyncDispose]());

/** Every object within a document. */
function* objectsIn(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const inner of Object.values(value)) yield* objectsIn(inner);
}

describe("the document", () => {
  test("is valid OpenAPI 3.1, says an independent validator", async () => {
    const found = await new Validator().validate({ ...structuredClone(document) });
    expect(found).toMatchObject({ valid: true });
    expect(document.openapi).toMatch(/^3\.1/);
  });

  test("has only references that lead somewhere", () => {
    const refs = [...objectsIn(document)].flatMap(({ $ref }) =>
      typeof $ref === "string" ? [$ref] : [],
    );
    expect(refs.length).toBeGreaterThan(300);
    for (const ref of new Set(refs)) {
      const [, kind = "", name = ""] = /^#\/components\/(\w+)\/(\w+)$/.exec(ref) ?? [];
      expect(document.components[kind]?.[name], ref).toBeDefined();
    }
  });

  test("names every route once, for clients too", () => {
    const ids = ROUTES.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+$/);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(ROUTES.map(label).sort());
  });

  test.each(ROUTES.map((route) => [label(route), route] as const))(
    "tells of %s all there is to tell",
    (_, route) => {
      const operation = document.paths[route.path]?.[route.method];
      if (operation === undefined) throw new Error("is not in the document");
      expect(operation.operationId).toBe(route.operationId);
      const inPath = operation.parameters.filter((parameter) => parameter.in === "path");
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(route.path.match(/\{\w+\}/g) ?? []);
      for (const status of Object.keys(route.responses)) {
        expect(Object.keys(operation.responses[status]?.content ?? {}).length).toBeGreaterThan(0);
      }
      for (const status of ["400", "500", "503"]) {
        expect(operation.responses[status]?.$ref).toBe(`#/components/responses/Problem${status}`);
      }
      expect(operation.requestBody === undefined).toBe(route.body === undefined);
      if (route.permission === "public") expect(operation.security).toEqual([]);
      else expect(operation.responses).toHaveProperty("401");
      if (route.permission.includes(":")) expect(operation.description).toContain(route.permission);
    },
  );

  test("leaves no schema open where answers are strict", () => {
    const { Cron, Job, Problem } = document.components.schemas ?? {};
    for (const schema of [Cron, Job, Problem]) {
      expect(schema).toMatchObject({ type: "object", additionalProperties: false });
    }
  });

  test("gives examples that are good", () => {
    const body = document.paths["/api/v1/apps/{appId}/crons"]?.post?.requestBody;
    const schema = body?.content["application/json"]?.schema as {
      properties: Record<string, { examples?: unknown[] }>;
    };
    const examples = schema.properties.schedule?.examples ?? [];
    expect(examples.length).toBeGreaterThan(3);
    for (const schedule of examples) {
      expect(CronSpec.safeParse({ name: "x", schedule }).success, String(schedule)).toBe(true);
    }
  });

  test("is what it is made of, and asked for again costs nothing", async () => {
    expect(document).toEqual(JSON.parse(JSON.stringify(openApiDocument(ROUTES, "0.1.0"))));
    const first = await fetch(`${api.server.url}/openapi.json`);
    const headers = { "if-none-match": first.headers.get("etag") ?? "" };
    expect((await fetch(`${api.server.url}/openapi.json`, { headers })).status).toBe(304);
    expect((await fetch(`${api.server.url}/openapi.json`, { method: "POST" })).status).toBe(405);
  });
});

describe("a client made by a public generator", () => {
  const folder = fileURLToPath(new URL("./.generated/", import.meta.url));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("compiles, refuses what the API would refuse, and lists crons", async () => {
    const types = astToString(await openapiTS(structuredClone(document) as unknown as OpenAPI3));
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}api.d.ts`, types);
    await writeFile(`${folder}use.ts`, USE);
    const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022"];
    const compile = promisify(execFile)(process.execPath, [
      ...[tsc, "--ignoreConfig", "--skipLibCheck", ...options, `${folder}use.ts`],
    ]);
    await expect(compile.catch((error: { stdout: string }) => error.stdout)).resolves.toMatchObject(
      {
        stdout: "",
      },
    );

    const client = createClient<Record<string, Record<string, object>>>({
      baseUrl: api.server.url,
      headers: { authorization: `Bearer ${api.admin.key}` },
    });
    const get = client.GET as unknown as (
      path: string,
      init: object,
    ) => Promise<{ data?: { name: string }[]; error?: unknown }>;
    const { data } = await get("/api/v1/apps/{appId}/crons", {
      params: { path: { appId: "crm" } },
    });
    expect(data?.map(({ name }) => name)).toEqual(["daily"]);
    const { error } = await get("/api/v1/apps/{appId}/crons", {
      params: { path: { appId: "no" } },
    });
    expect(error).toMatchObject({ code: "app_not_found" });
  });
});

/** What a program would do with the generated types; each directive fails if there is no error. */
const USE = `
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const client = createClient<paths>({ baseUrl: "http://localhost:8080" });
const path = { appId: "crm" };
const list = await client.GET("/api/v1/apps/{appId}/crons", { params: { path } });
export const names: string[] = (list.data ?? []).map((cron) => cron.name);
const cron: components["schemas"]["Cron"] | undefined = list.data?.[0];
export const next: string | null | undefined = cron?.nextFireAt;
const made = await client.POST("/api/v1/apps/{appId}/crons", {
  params: { path, header: { "Idempotency-Key": "x" } },
  body: { name: "x", schedule: "0 9 * * *", overlapPolicy: "skip" },
});
export const detail: string | undefined = made.error?.detail;
await client.GET("/api/v1/apps/{appId}/crons/{id}/runs", {
  params: { path: { ...path, id: made.data?.id ?? "" }, query: { limit: 5 } },
});
// @ts-expect-error a cron needs a schedule
await client.POST("/api/v1/apps/{appId}/crons", { params: { path }, body: { name: "x" } });
await client.POST("/api/v1/apps/{appId}/crons", {
  params: { path },
  // @ts-expect-error there is no such policy
  body: { name: "x", schedule: "0 9 * * *", overlapPolicy: "parallel" },
});
// @ts-expect-error there is no such endpoint
await client.GET("/api/v1/nowhere");
`;

describe("the reference page", () => {
  const page = async (path = "/docs") => {
    const response = await fetch(api.server.url + path);
    return { response, text: await response.text() };
  };

  test("shows every operation and every shape, and needs nothing from elsewhere", async () => {
    const { response, text } = await page();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    for (const { operationId, path } of ROUTES) {
      expect(text).toContain(`id="${operationId}"`);
      expect(text).toContain(`<code>${path}</code>`);
    }
    for (const name of Object.keys(document.components.schemas ?? {})) {
      expect(text).toContain(`id="schema-${name}"`);
    }
    // Every link within it leads somewhere.
    for (const [, id] of text.matchAll(/href="#([^"]+)"/g)) expect(text).toContain(`id="${id}"`);
    expect(text).not.toMatch(/<script|javascript:|\son\w+=|style="|https?:\/\//);
    expect(text).not.toMatch(/undefined|\[object/);
  });

  test("is held to a policy without scripts", async () => {
    for (const path of ["/docs", "/docs/style.css"]) {
      const { response } = await page(path);
      const policy = response.headers.get("content-security-policy");
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|script-src|\*/);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    }
    const style = await page("/docs/style.css");
    expect(style.response.headers.get("content-type")).toBe("text/css; charset=utf-8");
    expect(style.text).not.toMatch(/@import|url\(/);
  });
});
