import type { z } from "zod";
import { CarillonError, ERRORS, type ErrorCode } from "../../errors.js";
import { toProblem } from "../problem.js";
import type { Answer, Route } from "../route.js";
import * as access from "../shapes/access.js";
import * as app from "../shapes/app.js";
import * as cron from "../shapes/cron.js";
import { Job } from "../shapes/job.js";
import { Problem } from "../shapes/problem.js";
import { Secret, SigningKey } from "../shapes/secret.js";
import * as tick from "../shapes/tick.js";
import { Components, type Json } from "./json-schema.js";
import { codesOf, PROBLEM_STATUSES, problemStatuses } from "./statuses.js";

/** What clients have names for. */
const NAMED = {
  ...{ Problem, Job, Cron: cron.Cron, Run: cron.Run, App: app.App, Deployed: app.Deployed },
  ...{ Tick: tick.Tick, Backfill: tick.Backfill, BackfillAnswer: tick.BackfillAnswer },
  ...{ Principal: access.Principal, Role: access.Role, Key: access.Key },
  ...{ Secret, SigningKey },
};

/** The API as an OpenAPI 3.1 document. */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const components = new Components(NAMED);
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route, components) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Carillon",
      version,
      summary: "A Postgres-native scheduler.",
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ apiKey: [] }, { token: [] }, { session: [] }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components.schemas,
      responses: problemResponses(),
      parameters: PARAMETERS,
      headers: HEADERS,
      securitySchemes: SECURITY,
    },
  };
}

const DESCRIPTION = `JSON in camelCase; times in ISO 8601 with Z. Unknown fields are refused. Errors are RFC 9457 problem documents with a stable \`code\`.`;

function operation(route: Route, components: Components): Json {
  const { permission, body } = route;
  const changes = route.method !== "get";
  const isPublic = permission === "public";
  const required = body !== undefined && !body.safeParse(undefined).success;
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [tagOf(route)],
    description: needs(route),
    ...(isPublic ? { security: [] } : {}),
    parameters: [
      ...fields(components.of(route.params, "input"), "path"),
      ...fields(components.of(route.query, "input"), "query"),
      ...(changes && !isPublic ? [ref("parameters", "IdempotencyKey")] : []),
      ...(changes && route.method !== "post" && route.versioned
        ? [ref("parameters", "IfMatch")]
        : []),
      ...(changes ? [] : [ref("parameters", "IfNoneMatch")]),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required, content: jsonContent(components.of(body, "input")) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.responses).map(([status, answer]) => [
          status,
          success(route, Number(status), answer, components),
        ]),
      ),
      ...(changes ? {} : { "304": { description: "Unchanged since the answer of that ETag." } }),
      ...Object.fromEntries(
        problemStatuses(route).map((status) => [status, ref("responses", `Problem${status}`)]),
      ),
    },
  };
}

/** crons of /api/v1/apps/{appId}/crons/{id}/runs. */
function tagOf({ path }: Route): string {
  const [first = "", , ...more] = path.replace(/^\/(api\/v1\/)?/, "").split("/");
  if (path.endsWith("z")) return "health";
  return first === "apps" ? (more[0] === "manifest" ? "apps" : (more[0] ?? "apps")) : first;
}

function needs({ permission, alsoNeeds = [] }: Route): string {
  if (permission === "public") return "Open to everybody.";
  const base =
    permission === "authenticated" ? "Needs valid credentials." : `Needs \`${permission}\`.`;
  const more = alsoNeeds.map(({ permission, when }) => `When ${when}: \`${permission}\`.`);
  return [base, ...more].join(" ");
}

function fields(schema: Json, where: "path" | "query"): Json[] {
  const properties = (schema.properties ?? {}) as Record<string, Json>;
  const required = (schema.required ?? []) as string[];
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === "path" || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function success(route: Route, status: number, answer: Answer, components: Components): Json {
  const headers: Json = { "X-Request-Id": ref("headers", "RequestId") };
  if (!("kind" in answer) && (route.method === "get" || route.versioned)) {
    headers.ETag = ref("headers", "ETag");
  }
  if (route.permission !== "public") headers.RateLimit = ref("headers", "RateLimit");
  return {
    description: status === 201 ? "Made." : "Done.",
    headers,
    content: contentOf(answer, components),
  };
}

function contentOf(answer: Answer, components: Components): Json {
  if (!("kind" in answer)) return jsonContent(components.of(answer, "output"));
  if (answer.kind === "events") {
    // OpenAPI 3.1 has no words for single events: what their data are, by name.
    const events = Object.entries(answer.events).map(([name, schema]) => [
      name,
      components.of(schema, "output"),
    ]);
    return { "text/event-stream": { schema: { type: "string" }, "x-events": fromEntries(events) } };
  }
  const types = Object.entries<z.ZodType>(answer.types).map(([type, schema]) => [
    type,
    { schema: type === "application/json" ? components.of(schema, "output") : { type: "string" } },
  ]);
  return fromEntries(types);
}

const fromEntries = (entries: unknown[][]) => Object.fromEntries(entries) as Json;
const jsonContent = (schema: Json) => ({ "application/json": { schema } });
const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });

function problemResponses(): Json {
  return fromEntries(
    PROBLEM_STATUSES.map((status) => {
      const codes = codesOf(status);
      const headers: Json = { "X-Request-Id": ref("headers", "RequestId") };
      if (status === 401 || status === 403)
        headers["WWW-Authenticate"] = ref("headers", "Challenge");
      if (status === 429 || status === 503) headers["Retry-After"] = ref("headers", "RetryAfter");
      return [
        `Problem${status}`,
        {
          description: `${[...new Set(codes.map((code) => ERRORS[code].title))].join("; ")}.`,
          headers,
          content: {
            "application/problem+json": {
              schema: ref("schemas", "Problem"),
              examples: fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
            },
          },
        },
      ];
    }),
  );
}

function exampleOf(code: ErrorCode): Json {
  const detail = EXAMPLES[code] ?? ERRORS[code].title;
  const fields = code === "invalid_input" ? [{ field: "name", message: "is required" }] : [];
  const missing = code === "permission_denied" ? { missing: "app:crm:cron.write" } : {};
  const error = new CarillonError(code, detail, { fields, ...missing });
  return { ...toProblem(error, "0b8f0c0e-6d0b-4f0e-9d0a-3f6a5f1c2e4d") };
}

const EXAMPLES: Partial<Record<ErrorCode, string>> = {
  invalid_input: "name is required",
  permission_denied: "missing app:crm:cron.write",
  unauthenticated: "no credentials: this endpoint needs an API key (crl_…)",
  version_mismatch: 'cron "daily" is at version 3 by now, not 2',
  payload_too_large: "the body is larger than 2 MiB",
};

const PARAMETERS = {
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "For 24 hours the same request under the same key is done once and answered alike; another body is 409.",
    schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
  },
  IfMatch: {
    name: "If-Match",
    in: "header",
    description: "The ETag of what the change is based on; 412 when it has been changed since.",
    schema: { type: "string" },
    example: '"3.kV4WmDR9QFwN0fPGvk4xJg"',
  },
  IfNoneMatch: {
    name: "If-None-Match",
    in: "header",
    description: "The ETag of an earlier answer; 304 when it would be the same.",
    schema: { type: "string" },
  },
};

const HEADERS = {
  RequestId: {
    description: "The request's id: the caller's own, or a new one.",
    schema: { type: "string" },
  },
  ETag: { description: "For If-None-Match, and If-Match.", schema: { type: "string" } },
  RateLimit: {
    description: "Requests left (r), and seconds until all are there again (t).",
    schema: { type: "string" },
    example: '"principal";r=5999;t=1',
  },
  RetryAfter: { description: "Seconds.", schema: { type: "integer" } },
  Challenge: {
    description: "What to authenticate with, or the permission that is missing (RFC 6750).",
    schema: { type: "string" },
  },
};

const SECURITY = {
  apiKey: { type: "http", scheme: "bearer", bearerFormat: "crl_…", description: "An API key." },
  token: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "A token of the configured issuer.",
  },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "ory_kratos_session",
    description: "A session cookie; its name is configured. Changes must come from the same site.",
  },
};
