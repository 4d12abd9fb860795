import type { Deed, Meant } from "../../crons/bulk.js";
import { counted } from "../../time/format.js";

const TEXTS = {
  pause: "No slot of them fires until they are resumed. Jobs that are queued or running go on.",
  resume: "Their next slots fire again, from now on.",
  delete:
    "None of their slots fires any more. Jobs that are queued or running go on; slots and jobs stay in the history until their retention ends. Pausing would keep them.",
} as const;

const ALREADY = { pause: "paused already", resume: "not paused", delete: "" } as const;

/** What a deed means for how many, and for how many it means nothing. */
export function Consequence({ deed, meant }: { deed: Deed; meant: Meant }) {
  const { crons, already, others } = meant;
  const declared = crons.filter(({ origin }) => origin === "manifest").length;
  const apps = new Set(crons.map(({ appId }) => appId)).size;
  return (
    <>
      {crons.length > 0 && (
        <p>
          <strong>
            {counted(crons.length, "cron")} of {counted(apps, "app")}.
          </strong>{" "}
          {TEXTS[deed]}
        </p>
      )}
      {deed === "delete" && declared > 0 && (
        <p>
          {counted(declared, "cron")} of them {declared === 1 ? "comes" : "come"} from manifests:
          the next deploy of their app would make them again.
        </p>
      )}
      {already > 0 && (
        <p>
          {counted(already, "cron")} {already === 1 ? "is" : "are"} {ALREADY[deed]}.
        </p>
      )}
      {others > 0 && (
        <p>
          {counted(others, "cron")} you may only look at: cron.write is missing, or they are
          another&apos;s.
        </p>
      )}
    </>
  );
}
