import { register } from "node:module";

// node --import ./harness/register.mjs benchmark.ts
register("./loader.mjs", import.meta.url);
