import { traceparent } from "../identity.js";
import type { Secrets, TargetJob } from "../types.js";
import type { HttpRequest } from "./client.js";
import type { HttpSpec } from "./schema.js";
import { secretNames, withSecrets } from "./secrets.js";
import { signatureHeaders } from "./sign.js";

/** A header to send. */
export interface Header {
  readonly name: string;
  readonly value: string;
  /** As it may be shown: without secrets. */
  readonly shown: string;
  /** Whether it is for the spec's own origin only, and not for one it redirects to. */
  readonly own: boolean;
}

export interface PreparedRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly Header[];
  readonly body: string | null;
}

/** Headers that are credentials even when they are written out. */
const CREDENTIALS = /^(authorization|cookie|.*(api-?key|token|secret|password).*)$/i;

const REDACTED = "[redacted]";

/**
 * The request that a spec and a job make.
 *
 * @param now milliseconds since the epoch
 * @throws SecretError
 */
export async function prepareRequest(
  spec: HttpSpec,
  job: TargetJob,
  secrets: Secrets,
  userAgent: string,
  now: number,
): Promise<PreparedRequest> {
  const method = spec.method ?? "POST";
  const body = bodyOf(spec, method, job);
  const configured = await configuredHeaders(spec, secrets);
  const taken = new Set(configured.map(({ name }) => name.toLowerCase()));
  const defaults = [
    header("User-Agent", userAgent),
    header("Accept", "*/*"),
    ...(body !== null && typeof spec.body !== "string"
      ? [header("Content-Type", "application/json")]
      : []),
  ].filter(({ name }) => !taken.has(name.toLowerCase()));
  const keys = await secrets.signing();
  const signature = signatureHeaders(keys, job.key, Math.floor(now / 1000), body ?? "");
  return {
    url: new URL(spec.url),
    method,
    headers: [
      ...defaults,
      ...configured,
      header("Idempotency-Key", job.key),
      header("traceparent", traceparent(job.key, job.attempt)),
      ...jobHeaders(job),
      ...Object.entries(signature).map(([name, value]) => ({ ...header(name, value), own: true })),
    ],
    body,
  };
}

const header = (name: string, value: string): Header => ({ name, value, shown: value, own: false });

function jobHeaders({ appId, jobId, attempt, cronId, scheduledFor, trigger }: TargetJob): Header[] {
  return [
    header("Carillon-App", appId),
    header("Carillon-Job", String(jobId)),
    header("Carillon-Attempt", String(attempt)),
    header("Carillon-Trigger", trigger),
    ...(cronId === null ? [] : [header("Carillon-Cron", cronId)]),
    ...(scheduledFor === null ? [] : [header("Carillon-Slot", scheduledFor.toISOString())]),
  ];
}

async function configuredHeaders(spec: HttpSpec, secrets: Secrets): Promise<Header[]> {
  const headers: Header[] = [];
  for (const [name, template] of Object.entries(spec.headers ?? {})) {
    const names = secretNames(template) ?? [];
    const refers = names.length > 0;
    const own = refers || CREDENTIALS.test(name);
    headers.push({
      name,
      value: refers ? await withSecrets(template, names, secrets) : template,
      shown: refers || !own ? template : REDACTED,
      own,
    });
  }
  return headers;
}

function bodyOf(spec: HttpSpec, method: string, job: TargetJob): string | null {
  if (typeof spec.body === "string") return spec.body === "" ? null : spec.body;
  if (spec.body !== undefined && spec.body !== null) return JSON.stringify(spec.body);
  if (method === "GET" || method === "DELETE") return null;
  const { appId, jobId, cronId, scheduledFor, trigger, payload } = job;
  return JSON.stringify({
    jobId,
    appId,
    cronId,
    scheduledFor: scheduledFor?.toISOString() ?? null,
    trigger,
    payload,
  });
}

/** The request as it goes on the wire. */
export const wireRequest = ({ url, method, headers, body }: PreparedRequest): HttpRequest => ({
  url,
  method,
  headers: headers.flatMap(({ name, value }) => [name, value]),
  body,
});
