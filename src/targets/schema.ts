import { z } from "zod";
import { AgentSpec } from "./agent/schema.js";
import { ContainerSpec } from "./container/schema.js";
import { FaktorySpec } from "./faktory/schema.js";
import { HttpSpec } from "./http/schema.js";

/** Where a job goes instead of to the app's workers. SQL holds only its outline (_check_target). */
export const TargetSpec = z.discriminatedUnion(
  "type",
  [HttpSpec, AgentSpec, FaktorySpec, ContainerSpec],
  { error: 'must be a target: an object with "type": "http", "agent", "faktory" or "container"' },
);
export type TargetSpec = z.output<typeof TargetSpec>;
