import type { NewCron } from "../../client/index.js";

/** Something that will not be as it was. */
export interface Difference {
  /** The cron, by the name it gets; undefined where all of them are meant. */
  cron: string | undefined;
  /** changed: it is written otherwise, or works otherwise; lost: it has no counterpart; refused: it is left out. */
  kind: "changed" | "lost" | "refused";
  text: string;
}

/** What another scheduler's entries come to. */
export interface Imported {
  crons: NewCron[];
  differences: Difference[];
}

/** One entry on its way: the fields it gets, and what is to be said about it. */
export interface Entry {
  /** What it is called where it comes from. */
  label: string;
  fields: Omit<NewCron, "name" | "schedule">;
  /** Undefined where it has no schedule that could be kept. */
  schedule: string | undefined;
  notes: { kind: Difference["kind"]; text: string }[];
}
