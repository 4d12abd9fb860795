import { z } from "zod";
import { ContainerSpec } from "./container/schema.js";
import { FaktorySpec } from "./faktory/schema.js";
import { HttpSpec } from "./http/schema.js";

/** Where a job goes instead of to the app's `onJob`. */
export const TargetSpec = z.discriminatedUnion("type", [HttpSpec, FaktorySpec, ContainerSpec], {
  error: 'must be a target: an object with "type": "http", "faktory" or "container"',
});
export type TargetSpec = z.output<typeof TargetSpec>;
