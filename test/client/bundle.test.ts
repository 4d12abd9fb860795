import { createContext, runInContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { build, type Rollup } from "vite";
import { expect, test } from "vitest";
import type * as Client from "../../src/client/index.js";

const ENTRY = fileURLToPath(new URL("../../src/client/index.ts", import.meta.url));

async function bundle() {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      modulePreload: false,
      lib: { entry: ENTRY, formats: ["iife"], name: "carillon" },
    },
  });
  return ([built].flat() as Rollup.RollupOutput[]).flatMap(({ output }) => output);
}

test("a browser's bundle holds the client alone, and runs where there is nothing of Node", async () => {
  const [chunk, ...others] = await bundle();
  expect(others).toEqual([]);
  if (chunk?.type !== "chunk") throw new Error("nothing was built");
  const { code, moduleIds, imports } = chunk;
  const zipped = gzipSync(code).length;
  console.log(`the client's bundle: ${code.length} bytes, ${zipped} gzipped`);
  expect(moduleIds.filter((id) => !/\/src\/(client|targets\/http\/verify)/.test(id))).toEqual([]);
  expect(imports).toEqual([]);
  expect(code).not.toMatch(/zod|express|node:|\bprocess\b|\bBuffer\b|\brequire\(/);
  expect(zipped).toBeLessThan(8000);

  const asked: [string, RequestInit][] = [];
  const window = createContext({
    crypto,
    URLSearchParams,
    AbortController,
    setTimeout,
    clearTimeout,
    fetch: (url: string, init: RequestInit) => {
      asked.push([url, init]);
      return Promise.resolve(Response.json([{ id: "crm" }]));
    },
  });
  runInContext(code, window);
  const { createClient } = runInContext("carillon", window) as typeof Client;
  const client = createClient({ url: "", credentials: "include" });
  expect(await client.apps.list()).toEqual([{ id: "crm" }]);
  expect(asked[0]).toMatchObject(["/api/v1/apps", { method: "GET", credentials: "include" }]);
});
