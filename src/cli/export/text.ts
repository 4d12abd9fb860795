import { stringify } from "yaml";
import type { Manifest } from "../../client/index.js";

export type Format = "yaml" | "json";

/** A manifest as the text of a file. */
export function manifestText(manifest: Manifest, format: Format): string {
  return format === "json"
    ? `${JSON.stringify(manifest, null, 2)}\n`
    : stringify(manifest, { lineWidth: 0 });
}
