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

/** What the requests of one spec have in common. */
interface Plan {
  readonly url: URL;
  readonly method: string;
  /** Whether its body is JSON of Carillon's making. */
  readonly sendsJson: boolean;
  readonly configured: readonly Template[];
  /** Names of headers it sets itself, in lower case. */
  readonly taken: ReadonlySet<string>;
}

/** A header as the spec has it. */
interface Template {
  readonly header: Header;
  /** The secrets it refers to. */
  readonly secrets: readonly string[];
}

/** Many jobs have the same spec, and its URL and headers are read once. */
const PLANS = new WeakMap<HttpSpec, Plan>();

function planOf(spec: HttpSpec): Plan {
  let plan = PLANS.get(spec);
  if (plan === undefined) PLANS.set(spec, (plan = newPlan(spec)));
  return plan;
}

function newPlan(spec: HttpSpec): Plan {
  const method = spec.method ?? "POST";
  const fixed = spec.body ?? undefined;
  const tells = method !== "GET" && method !== "DELETE";
  const configured = Object.entries(spec.headers ?? {}).map(([name, template]): Template => {
    const secrets = secretNames(template) ?? [];
    const own = secrets.length > 0 || CREDENTIALS.test(name);
    const shown = secrets.length > 0 || !own ? template : REDACTED;
    return { header: { name, value: template, shown, own }, secrets };
  });
  return {
    url: new URL(spec.url),
    method,
    sendsJson: fixed === undefined ? tells : typeof fixed !== "string",
    configured,
    taken: new Set(configured.map(({ header: { name } }) => name.toLowerCase())),
  };
}

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
  const { url, method, sendsJson, configured, taken } = planOf(spec);
  const body = bodyOf(spec, sendsJson, job);
  const headers: Header[] = [];
  if (!taken.has("user-agent")) headers.push(header("User-Agent", userAgent));
  if (!taken.has("accept")) headers.push(header("Accept", "*/*"));
  if (sendsJson && !taken.has("content-type")) {
    headers.push(header("Content-Type", "application/json"));
  }
  for (const template of configured) {
    const { header: one, secrets: names } = template;
    headers.push(
      names.length === 0 ? one : { ...one, value: await withSecrets(one.value, names, secrets) },
    );
  }
  const keys = await secrets.signing();
  headers.push(
    header("Idempotency-Key", job.key),
    header("traceparent", traceparent(job.key, job.attempt)),
  );
  addJobHeaders(headers, job);
  const signature = signatureHeaders(keys, job.key, Math.floor(now / 1000), body ?? "");
  for (const [name, value] of Object.entries(signature)) {
    headers.push({ name, value, shown: value, own: true });
  }
  return { url, method, headers, body };
}

const header = (name: string, value: string): Header => ({ name, value, shown: value, own: false });

function addJobHeaders(headers: Header[], job: TargetJob): void {
  headers.push(
    header("Carillon-App", job.appId),
    header("Carillon-Job", String(job.jobId)),
    header("Carillon-Attempt", String(job.attempt)),
    header("Carillon-Trigger", job.trigger),
  );
  if (job.cronId !== null) headers.push(header("Carillon-Cron", job.cronId));
  if (job.scheduledFor !== null) {
    headers.push(header("Carillon-Slot", job.scheduledFor.toISOString()));
  }
}

function bodyOf(spec: HttpSpec, sendsJson: boolean, job: TargetJob): string | null {
  if (typeof spec.body === "string") return spec.body === "" ? null : spec.body;
  if (!sendsJson) return null;
  if (spec.body !== undefined && spec.body !== null) return JSON.stringify(spec.body);
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
export function wireRequest({ url, method, headers, body }: PreparedRequest): HttpRequest {
  const names: string[] = [];
  for (const { name, value } of headers) names.push(name, value);
  return { url, method, headers: names, body };
}
