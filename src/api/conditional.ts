import { createHash } from "node:crypto";
import type { Request } from "express";
import { invalidInput } from "../schedules/parse-input.js";

/**
 * The entity tag of an answer: a hash of it, after the version of what it shows where that has one.
 * So If-None-Match compares all of an answer, and If-Match only the version: a cron that has merely
 * fired since it was read is still the one that was read.
 */
export function etagOf(text: string, version: number | undefined): string {
  const hash = createHash("sha256").update(text).digest("base64url").slice(0, 22);
  return version === undefined ? `"${hash}"` : `"${version}.${hash}"`;
}

/** Whether a request's If-None-Match names this tag; proxies that compress make tags weak. */
export function isFresh(request: Request, etag: string): boolean {
  const header = request.get("if-none-match");
  if (header === undefined) return false;
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

const OURS = /^(?:W\/)?"(\d{1,9})(?:\.[\w-]+)?"$/;

/**
 * The version that a change is meant for, by its If-Match; undefined without one, or for `*`.
 * Where nothing has versions the header is refused: to ignore it would be to lose an update.
 */
export function expectedVersion(request: Request, versioned: boolean): number | undefined {
  const header = request.get("if-match")?.trim();
  if (header === undefined) return undefined;
  const refuse = (message: string) => invalidInput([{ field: "If-Match", message }]);
  if (!versioned) throw refuse("is not supported here");
  if (header === "*") return undefined;
  const [, version] = OURS.exec(header) ?? [];
  if (version === undefined) throw refuse("must be the ETag of an earlier answer");
  return Number(version);
}
