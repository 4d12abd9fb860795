import { readFile } from "node:fs/promises";
import type { Hooks } from "../../index.js";

/** The demo app's manifest. */
export async function demoManifest(): Promise<{ id: string }> {
  const text = await readFile(new URL("./manifest.json", import.meta.url), "utf8");
  return JSON.parse(text) as { id: string };
}

/** The demo app's worker: what any app hands to serve(). */
export function demoHooks(say: (line: string) => void): Hooks {
  return {
    onJob: {
      onHeartbeat: (_payload, _caller, ctx) => {
        say(arrival("heartbeat", ctx.scheduledFor));
        return { beating: true };
      },
      onReport: (payload, caller, ctx) => {
        say(`${arrival("report", ctx.scheduledFor)} for ${caller?.username ?? "nobody"}`);
        return { report: payload.report, rows: 42 };
      },
    },
  };
}

function arrival(what: string, slot: Date | null): string {
  const late = slot ? `, ${Date.now() - slot.getTime()} ms after its slot` : "";
  return `onJob     ${what}${slot ? ` of ${clock(slot)}` : ""}${late}`;
}

/** The time of day of an instant, in UTC. */
export const clock = (at: Date) => at.toISOString().slice(11, 19);
