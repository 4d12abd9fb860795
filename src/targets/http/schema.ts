import { z } from "zod";
import { secretNames } from "./secrets.js";
import { ExpectedStatus } from "./status.js";
import { urlProblem } from "./url.js";

/** Names of headers that are the connection's business, or Carillon's own. */
const RESERVED =
  /^(host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|idempotency-key|traceparent|tracestate|webhook-.*|carillon-.*)$/i;

const HeaderName = z
  .string()
  .max(200)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: "must be the name of an HTTP header" })
  .refine((name) => !RESERVED.test(name), {
    error: "is a header that Carillon or the connection sets itself",
  });

const HeaderValue = z
  .string()
  .max(8_000)
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, {
    error: "must be printable Latin-1, without line breaks",
  })
  .refine((value) => secretNames(value) !== undefined, {
    error: "holds a broken {{secret.NAME}}: names have upper-case letters, digits and underscores",
  });

const Headers = z
  .record(HeaderName, HeaderValue)
  .refine((headers) => Object.keys(headers).length <= 50, { error: "must not be more than 50" })
  .refine(
    (headers) => {
      const names = Object.keys(headers).map((name) => name.toLowerCase());
      return new Set(names).size === names.length;
    },
    { error: "must not name a header twice" },
  );

/** An HTTP endpoint to call; null and absent mean the default. */
export const HttpSpec = z.strictObject({
  type: z.literal("http").describe("An HTTP endpoint."),
  url: z
    .string()
    .min(1)
    .max(8_000)
    .superRefine((text, context) => {
      const problem = urlProblem(text) ?? secretProblem(text);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    })
    .describe("What to call: an http or https URL, without user and password.")
    .meta({ examples: ["https://example.com/hooks/nightly"] }),
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).nullish().describe("Default: POST."),
  headers: Headers.nullish().describe(
    "Headers to send. {{secret.NAME}} in a value stands for one of the app's secrets.",
  ),
  body: z
    .unknown()
    .refine((body) => bodyLength(body) <= 1_048_576, { error: "must not be larger than 1 MiB" })
    .optional()
    .describe(
      "A string is sent as it is, anything else as JSON. Default: with POST, PUT and PATCH, JSON that tells the job and its payload; otherwise none.",
    ),
  timeout: z
    .number()
    .min(0.1)
    .max(300)
    .nullish()
    .describe("Seconds the whole call may take, redirects and body included. Default: 10."),
  expectedStatus: ExpectedStatus.nullish().describe(
    'Status codes that mean success: a code, a range like "2xx" or "200-204", or a list. Default: 2xx.',
  ),
  redirects: z.int().min(0).max(5).nullish().describe("Redirects to follow at most. Default: 0."),
});
export type HttpSpec = z.output<typeof HttpSpec>;

/** A URL is recorded, logged on the way and shown, so it is no place for secrets. */
const secretProblem = (url: string): string | undefined =>
  secretNames(url)?.length === 0 ? undefined : "must not refer to secrets; headers may";

function bodyLength(body: unknown): number {
  if (typeof body === "string") return Buffer.byteLength(body);
  try {
    return Buffer.byteLength(JSON.stringify(body) ?? "");
  } catch {
    return Infinity;
  }
}
