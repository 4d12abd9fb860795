import { randomBytes } from "node:crypto";
import { generateKey } from "../../src/api/keys.js";
import { problemStatuses } from "../../src/api/openapi/statuses.js";
import { Problem } from "../../src/api/shapes/problem.js";
import type { Route } from "../../src/api/route.js";
import { ROUTES } from "../../src/api/routes/index.js";
import type { ApiSettings } from "../../src/config-api.js";
import { startServer, type ApiServer } from "../../src/api/server.js";
import type { StreamSettings } from "../../src/api/streaming.js";
import { connect, type Sql } from "../../src/db/connect.js";
import { createApiKey } from "../../src/db/api-keys.js";
import { createPrincipal } from "../../src/db/principals.js";
import { createRole } from "../../src/db/roles.js";
import { Keyring } from "../../src/secrets/keyring.js";
import { createTestDatabase, type TestDatabase } from "../helpers/database.js";
import { EventReader, holdEvent, readEvents, type ServerEvent } from "./events.js";

/** One line of the log. */
export interface LogLine {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** A principal with a key of its own. */
export interface Caller {
  id: string;
  username: string;
  key: string;
  keyId: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body; undefined when it is empty. */
  body: unknown;
}

export interface RequestOptions {
  /** Sent as JSON, unless it is a string or bytes, which are sent as they are. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** The API on a database of its own, with what tests need to call it. */
export class TestApi implements AsyncDisposable {
  readonly db: TestDatabase;
  readonly sql: Sql;
  readonly server: ApiServer;
  readonly log: LogLine[];
  /** What the server seals secrets by. */
  readonly keyring: Keyring;
  /** Holds every permission. */
  readonly admin: Caller;

  private constructor(parts: Pick<TestApi, "db" | "sql" | "server" | "log" | "keyring" | "admin">) {
    this.db = parts.db;
    this.sql = parts.sql;
    this.server = parts.server;
    this.log = parts.log;
    this.keyring = parts.keyring;
    this.admin = parts.admin;
  }

  static async start(
    settings: Partial<ApiSettings> = {},
    streams: Partial<StreamSettings> = {},
  ): Promise<TestApi> {
    const db = await createTestDatabase();
    return TestApi.over(db, (sql) => makeCaller(sql, "boss", ["*"]), settings, streams);
  }

  /** The same on a database that has somebody who holds every permission. */
  static async over(
    db: TestDatabase,
    adminOf: (sql: Sql) => Promise<Caller>,
    settings: Partial<ApiSettings> = {},
    streams: Partial<StreamSettings> = {},
  ): Promise<TestApi> {
    const sql = connect(db.url, { max: 5 });
    const log: LogLine[] = [];
    const local = { host: "127.0.0.1", port: 0 };
    const keyring = new Keyring(randomBytes(32));
    const served = { ...local, sql, log: recorder(log), keyring, settings, streams };
    const server = await startServer(served);
    const admin = await adminOf(sql);
    return new TestApi({ db, sql, server, log, keyring, admin });
  }

  /** What writes the log. */
  get logger() {
    return recorder(this.log);
  }

  /** A new principal that holds exactly these permissions. */
  caller(username: string, permissions: string[]): Promise<Caller> {
    return makeCaller(this.sql, username, permissions);
  }

  /** Installs an app without crons. */
  async install(appId: string, manifest: object = {}): Promise<void> {
    const path = `/api/v1/apps/${appId}/manifest`;
    const answer = await this.as(this.admin, "PUT", path, { body: manifest });
    if (answer.status !== 201) throw new Error(answer.text);
  }

  as(caller: Caller, method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const headers = { authorization: `Bearer ${caller.key}`, ...options.headers };
    return this.request(method, path, { ...options, headers });
  }

  /** A request as it is; every answer is held against the route table on the way. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const { body } = options;
    const sent = bodyOf(body);
    const response = await fetch(this.server.url + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
    });
    const text = await response.text();
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      text,
      body: text === "" ? undefined : parse(text, response.headers.get("content-type") ?? ""),
    };
    holdAgainstTable(method, path, answer);
    return answer;
  }

  /** Follows an event stream of the table; dispose of it, or read to its end. */
  async follow(
    caller: Caller,
    path: string,
    headers: Record<string, string> = {},
    serverUrl = this.server.url,
  ) {
    const shape = routeOf("GET", path.split("?")[0] ?? "")?.responses[200];
    if (shape === undefined || !("kind" in shape) || shape.kind !== "events") {
      throw new Error(`${path} is not an event stream`);
    }
    const authorization = `Bearer ${caller.key}`;
    return EventReader.open(serverUrl + path, { authorization, ...headers }, shape);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.sql.end({ timeout: 5 });
    await this.db.drop();
  }
}

function bodyOf(body: unknown): string | Uint8Array<ArrayBuffer> | undefined {
  if (body === undefined || typeof body === "string") return body;
  return body instanceof Uint8Array ? Uint8Array.from(body) : JSON.stringify(body);
}

export const problemOf = (answer: Answer): Problem => answer.body as Problem;

async function makeCaller(sql: Sql, username: string, permissions: string[]): Promise<Caller> {
  const role = `role-${username}`;
  await createRole(sql, { name: role, permissions });
  const id = await createPrincipal(sql, username, { roles: [role] });
  const { key, prefix, hash } = generateKey();
  const keyId = await createApiKey(sql, { principalId: id, name: "test", prefix, hash });
  return { id, username, key, keyId };
}

function recorder(lines: LogLine[]) {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields: fields as Record<string, unknown> });
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Every answer has a declared status and exactly the declared shape, or is a problem document. */
function holdAgainstTable(
  method: string,
  path: string,
  { status, headers, text, body }: Answer,
): void {
  if (status >= 400) {
    const type = headers.get("content-type") ?? "";
    if (method !== "HEAD" && !type.startsWith("application/problem+json")) {
      throw new Error(`${method} ${path} answered ${status} as ${type}`);
    }
    const known = routeOf(method, path.split("?")[0] ?? "");
    if (known !== undefined && !problemStatuses(known).includes(status)) {
      throw new Error(`${method} ${path} answered an undocumented ${status}`);
    }
    if (method !== "HEAD") Problem.parse(body);
    return;
  }
  const route = routeOf(method, path.split("?")[0] ?? "");
  if (route === undefined || status === 304) return;
  const shape = route.responses[status];
  if (shape === undefined) throw new Error(`${method} ${path} answered an undeclared ${status}`);
  const type = headers.get("content-type") ?? "";
  if (!("kind" in shape)) shape.parse(body);
  else if (shape.kind === "events") (body as ServerEvent[]).forEach(holdEvent(shape));
  else {
    const schema = shape.types[type];
    if (schema === undefined) throw new Error(`${method} ${path} answered with ${type}`);
    if (type === "application/x-ndjson")
      ((body ?? []) as unknown[]).forEach((line) => schema.parse(line));
    else schema.parse(body ?? text);
  }
}

function parse(text: string, type: string): unknown {
  if (type === "text/event-stream") return [...readEvents(text)];
  if (type.startsWith("text/plain")) return text;
  if (type !== "application/x-ndjson") return JSON.parse(text) as unknown;
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as unknown);
}

function routeOf(method: string, path: string): Route | undefined {
  return ROUTES.find(
    (route) =>
      route.method === method.toLowerCase() &&
      new RegExp(`^${route.path.replace(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
}
