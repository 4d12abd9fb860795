import type { ReactNode } from "react";
import { createStore } from "../store.js";

/** A question before something that cannot be undone. */
export interface Question {
  /** Verb and object: `Delete daily-digest?` */
  title: string;
  /** What it does, counted, and what stays. */
  body: ReactNode;
  /** What the button says: verb and object. */
  verb: string;
  danger?: boolean;
  /** For the irreversible: what has to be typed. */
  mustType?: string;
  /** What would do as well, and less harm. */
  instead?: { label: string; run: () => void };
  /** Does it; the dialog waits, and shows the error if it fails. */
  run: () => Promise<void>;
}

export const question = createStore<Question | undefined>(undefined);

/** Asks; the answer is the question's own `run`. */
export const confirm = (asked: Question): void => question.set(asked);
