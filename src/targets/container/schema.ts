import { z } from "zod";
import { parseImage } from "./images.js";

// What the kernel takes of a program's arguments and environment.
const Text = z
  .string()
  .max(131_071)
  .regex(/^[^\0]*$/, { error: "must not hold NUL characters" });

/** A container to run; null and absent mean the default. */
export const ContainerSpec = z.strictObject({
  type: z.literal("container").describe("A container on a Docker engine."),
  image: z
    .string()
    .refine((text) => parseImage(text) !== undefined, { error: "must be the name of an image" })
    .describe("The image, with tag or digest. The operator allows images app by app.")
    .meta({ examples: ["registry.example/crm/report:2.1"] }),
  cmd: z
    .array(Text)
    .max(1000)
    .nullish()
    .describe("The command and its arguments. Default: the image's own."),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/), Text)
    .nullish()
    .describe("Environment variables. Default: none."),
  memory: z
    .int()
    .min(6)
    .max(1_048_576)
    .nullish()
    .describe("MiB of memory it may use, swap included. Default: 256."),
  cpus: z.number().min(0.01).max(256).nullish().describe("CPUs it may use. Default: 1."),
  network: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/)
    .nullish()
    .describe("Network of the engine, one that the operator allows. Default: none."),
  pull: z
    .enum(["missing", "always", "never"])
    .nullish()
    .describe("When to pull the image. Default: missing."),
  timeout: z
    .number()
    .min(0.1)
    .max(3600)
    .nullish()
    .describe("Seconds it may run; then it is stopped and has failed. Default: 30."),
  stopSignal: z
    .string()
    .regex(/^SIG[A-Z0-9]{2,10}$/, { error: "must be the name of a signal, like SIGINT" })
    .nullish()
    .describe("Signal that asks it to stop, 2 seconds before SIGKILL. Default: SIGTERM."),
});
export type ContainerSpec = z.output<typeof ContainerSpec>;
