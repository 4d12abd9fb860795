import { readSpan } from "../../time/span.js";
import { counted, duration } from "../../time/format.js";
import type { EditorValues } from "../../crons/values.js";

/** Delays that are told one by one. */
const TOLD = 3;
/** The delay grows no more after so many failures. */
const MOST_GROWTH = 20;

/** When a job is tried again, in a sentence; undefined while the fields stand for no numbers. */
export function retriesText(values: EditorValues): string | undefined {
  const attempts = numberOf(values.maxAttempts, 1);
  const delay = values.retryDelay.trim() === "" ? 10 : readSpan(values.retryDelay);
  const factor = numberOf(values.retryBackoff, 2);
  if (attempts === undefined || delay === undefined || factor === undefined) return undefined;
  if (attempts < 1 || factor < 1 || !Number.isInteger(attempts)) return undefined;
  if (attempts === 1) return "A job is tried once: it has failed with its first failure.";
  const retries = attempts - 1;
  const delays = Array.from({ length: Math.min(retries, TOLD) }, (_, n) =>
    after(delay * factor ** Math.min(n, MOST_GROWTH)),
  );
  const rest = retries > TOLD ? `, and at last ${after(longest(delay, factor, retries))}` : "";
  return `A job is tried up to ${attempts} times: again ${delays.join(", then ")}${rest}, give or take a tenth. Only when the last try has failed, the job has.`;
}

const after = (seconds: number) =>
  seconds === 0 ? "at once" : `after ${duration(seconds * 1000)}`;

const longest = (delay: number, factor: number, retries: number) =>
  delay * factor ** Math.min(retries - 1, MOST_GROWTH);

/** When the cron pauses itself, in a sentence. */
export function pauseText({ maxConsecutiveFailures: given }: EditorValues): string | undefined {
  if (given.trim() === "") return "However many of its jobs fail, its slots go on firing.";
  const many = numberOf(given, 0);
  if (many === undefined || many < 1 || !Number.isInteger(many)) return undefined;
  return `After ${counted(many, "failed job")}${many === 1 ? "" : " in a row"} it pauses itself, with the reason on its page and on the overview. No slot fires until somebody resumes it; Run now works meanwhile.`;
}

function numberOf(text: string, usual: number): number | undefined {
  if (text.trim() === "") return usual;
  const value = Number(text.trim());
  return Number.isFinite(value) ? value : undefined;
}
