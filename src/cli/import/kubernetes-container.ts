import type { NewCron } from "../../client/index.js";
import type { Entry } from "./types.js";

/** What is read of a container of Kubernetes. */
export interface PodContainer {
  image?: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string }[];
  resources?: { limits?: { memory?: string | number; cpu?: string | number } };
}

type Notes = Entry["notes"];

/** Seconds a container may run here at most. */
const MOST_SECONDS = 3600;

/**
 * A container as a target, which a dispatcher runs; undefined for one without an image. What differs
 * is noted.
 */
export function containerTarget(
  { image, command, args, env, resources }: PodContainer,
  deadline: number | undefined,
  notes: Notes,
): NewCron["target"] {
  if (image === undefined) return undefined;
  if (command !== undefined) {
    notes.push({
      kind: "changed",
      text: "command comes after the image's entrypoint, not instead",
    });
  }
  if ((deadline ?? Infinity) > MOST_SECONDS) {
    notes.push({ kind: "changed", text: "a container may run for an hour at most" });
  }
  const referring = (env ?? []).filter(({ value }) => value === undefined);
  if (referring.length > 0) {
    const names = referring.map(({ name }) => name).join(", ");
    notes.push({ kind: "lost", text: `env that is read from elsewhere: ${names}` });
  }
  const values = (env ?? []).flatMap(({ name, value }) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const memory = mebibytes(resources?.limits?.memory);
  const cpus = cores(resources?.limits?.cpu);
  return {
    ...{ type: "container", image },
    ...(command === undefined && args === undefined
      ? {}
      : { cmd: [...(command ?? []), ...(args ?? [])] }),
    ...(values.length === 0 ? {} : { env: Object.fromEntries(values) }),
    ...(memory === undefined ? {} : { memory }),
    ...(cpus === undefined ? {} : { cpus }),
    timeout: Math.min(deadline ?? MOST_SECONDS, MOST_SECONDS),
  };
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ "": 1, k: 1e3, M: 1e6, G: 1e9 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 },
};

/** A quantity of memory, rounded up: `512Mi`, `1G`. */
function mebibytes(quantity: string | number | undefined): number | undefined {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)(k|M|G|Ki|Mi|Gi)?$/.exec(String(quantity)) ?? [];
  if (digits === undefined) return undefined;
  return Math.ceil((Number(digits) * (UNITS[unit] ?? 1)) / 2 ** 20);
}

/** A quantity of CPU: `500m`, `2`. */
function cores(quantity: string | number | undefined): number | undefined {
  const [, digits, milli] = /^(\d+(?:\.\d+)?)(m)?$/.exec(String(quantity)) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) / (milli === undefined ? 1 : 1000);
}
