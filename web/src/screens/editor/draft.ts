import { useEffect, useRef, useState } from "react";
import { FIELDS, touched, type EditorValues } from "../../crons/values.js";

/** What was written and not saved, kept in this tab. */
interface Draft {
  at: number;
  version: number;
  values: EditorValues;
}

const PREFIX = "carillon.draft.";

/**
 * Keeps what is typed until it is saved, and offers what was left here before.
 *
 * @param name which cron it is of
 * @param version what the draft was begun from
 */
export function useDraft(name: string, version: number, values: EditorValues, base: EditorValues) {
  const key = PREFIX + name;
  const [found, setFound] = useState(() => read(key, base));
  const dirty = touched(values, base).length > 0;
  const text = JSON.stringify({ version, values });
  const begun = useRef(false);
  useEffect(() => {
    if (dirty) {
      begun.current = true;
      write(key, { ...(JSON.parse(text) as Draft), at: Date.now() });
    } else if (begun.current) {
      forget(key);
    }
  }, [key, dirty, text]);
  const drop = () => {
    forget(key);
    begun.current = false;
    setFound(undefined);
  };
  return { found, drop, taken: () => setFound(undefined) };
}

function read(key: string, base: EditorValues): Draft | undefined {
  try {
    const draft = JSON.parse(sessionStorage.getItem(key) ?? "null") as Draft | null;
    const whole =
      draft !== null && FIELDS.every((field) => typeof draft.values[field] === "string");
    return whole && touched(draft.values, base).length > 0 ? draft : undefined;
  } catch {
    return undefined;
  }
}

function write(key: string, draft: Draft): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // Storage is closed to the page, or full: then it lasts as long as the page.
  }
}

function forget(key: string): void {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept.
  }
}
