import { z } from "zod";
import { HttpSpec } from "../http/schema.js";

const { url, headers, expectedStatus, redirects } = HttpSpec.shape;

/** An agent that is called over HTTP, as a manifest has it; null and absent mean the default. */
export const AgentEndpoint = z.strictObject({
  url: url.describe("Where the agent is: an http or https URL, without user and password."),
  headers,
  timeout: z
    .number()
    .min(0.1)
    .max(300)
    .nullish()
    .describe("Seconds the agent may take to answer. Default: 60."),
  expectedStatus,
  redirects,
});

/** An agent to invoke over HTTP: told its message, a session, its caller and the job. */
export const AgentSpec = z.strictObject({
  type: z.literal("agent").describe("An agent over HTTP."),
  ...AgentEndpoint.shape,
});
export type AgentSpec = z.output<typeof AgentSpec>;
