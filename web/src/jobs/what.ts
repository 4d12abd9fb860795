import type { ListedJob } from "./types.js";

/** What a job without a cron is, as far as its target and payload tell; undefined where they do not. */
export function whatOf({ target, payload }: Pick<ListedJob, "target" | "payload">) {
  return (target && callOf(target)) ?? textOf(payload?.method);
}

function callOf(target: NonNullable<ListedJob["target"]>): string | undefined {
  const { type, url, method, image, jobType, queue } = target as Record<string, unknown>;
  switch (type) {
    case "http":
      return `${textOf(method) ?? "POST"} ${placeOf(url)}`;
    case "agent":
      return `agent ${placeOf(url)}`;
    case "container":
      return textOf(image);
    case "faktory":
      return [jobType, queue].map(textOf).filter(Boolean).join(" → ");
    default:
      return undefined;
  }
}

const textOf = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

/** `payments.example/v1/charges`: without what every address has. */
function placeOf(url: unknown): string {
  const text = textOf(url) ?? "";
  if (!URL.canParse(text)) return text;
  const { host, pathname } = new URL(text);
  return `${host}${pathname === "/" ? "" : pathname}`;
}
