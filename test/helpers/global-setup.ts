import postgres from "postgres";
import type { TestProject } from "vitest/node";

import { install } from "../../src/deploy/install.js";
import { type Engine, type EngineName, startEngine } from "../../src/dev/engines/index.js";
import { withDatabase } from "./engine-url.js";

/** What the run's one server is, for `inject("server")`. */
export interface TestServer {
  /** Superuser, on the database `postgres`. */
  url: string;
  /** Carillon without pg_cron, to be cloned by createTestDatabase(). */
  template: string;
  engine: EngineName;
  /** pg_cron's version on this kind of engine, or null. */
  pgCron: string | null;
  /** The environment's KEEP=1: databases and server stay after the run, to be looked at. */
  keep: boolean;
}

declare module "vitest" {
  export interface ProvidedContext {
    server: TestServer;
  }
}

/** One server for the whole run, with Carillon installed once in a template database. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const keep = (process.env.KEEP ?? "") !== "";
  const engine = await startEngine({ log: (line) => console.log(`engine: ${line}`) });
  try {
    // Somebody else's server may serve several runs at once, so each has its own template there.
    const template =
      engine.name === "url" ? `carillon_template_${process.pid}` : "carillon_template";
    await makeTemplate(engine, template);
    project.provide("server", {
      url: withDatabase(engine.databaseUrl, "postgres"),
      template,
      engine: engine.name,
      pgCron: engine.pgCron,
      keep,
    });
    return () => teardown(engine, template, keep);
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function makeTemplate(engine: Engine, template: string): Promise<void> {
  const admin = postgres(withDatabase(engine.databaseUrl, "postgres"), { max: 1 });
  try {
    await admin.unsafe(`create database ${template}`);
    await install(withDatabase(engine.databaseUrl, template), { pgCron: "off" });
    // Nobody may be connected to a database that is being cloned.
    await admin.unsafe(`alter database ${template} with allow_connections false`);
  } finally {
    await admin.end();
  }
}

async function teardown(engine: Engine, template: string, keep: boolean): Promise<void> {
  if (keep) {
    await engine.leave();
    console.log(`kept: the server at ${engine.databaseUrl}`);
    if (engine.dataDir !== null) {
      console.log(`      stop it with: kill $(head -n 1 ${engine.dataDir}/postmaster.pid)`);
    }
    return;
  }
  if (engine.name === "url") {
    const admin = postgres(withDatabase(engine.databaseUrl, "postgres"), { max: 1 });
    await admin.unsafe(`drop database if exists ${template} with (force)`);
    await admin.end();
  }
  await engine.close();
}
