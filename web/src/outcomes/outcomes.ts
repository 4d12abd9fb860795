import {
  bar,
  cross,
  dot,
  footed,
  half,
  holed,
  hollow,
  notched,
  outlined,
  sliced,
} from "./shapes.js";

/*
 * What became of a slot or a job: the one table of its word, colour and shape. Strips, ledgers, maps,
 * badges and legends read only this. The shape alone tells outcomes apart: no palette does for all eyes.
 */

/** The tokens of colour that outcomes have. */
export type Tone = "ok" | "failed" | "running" | "skipped" | "missed" | "late";

/** Draws an outcome into a box, as the `d` of a path. */
export type Shape = (x: number, y: number, width: number, height: number) => string;

interface OutcomeLook {
  /** As in "3 completed". */
  word: string;
  tone: Tone;
  shape: Shape;
  /** How bad it is: of several the worst is shown. */
  weight: number;
}

export const OUTCOMES = {
  completed: { word: "completed", tone: "ok", shape: bar, weight: 1 },
  caught_up: { word: "caught up", tone: "late", shape: footed, weight: 5 },
  running: { word: "running", tone: "running", shape: sliced, weight: 3 },
  queued: { word: "queued", tone: "running", shape: outlined, weight: 2 },
  pending: { word: "pending", tone: "running", shape: outlined, weight: 2 },
  enqueued: { word: "enqueued", tone: "running", shape: outlined, weight: 2 },
  canceled: { word: "canceled", tone: "skipped", shape: half, weight: 4 },
  skipped: { word: "skipped", tone: "skipped", shape: hollow, weight: 4 },
  replaced: { word: "replaced", tone: "skipped", shape: hollow, weight: 4 },
  missed: { word: "missed", tone: "missed", shape: dot, weight: 7 },
  denied: { word: "denied", tone: "missed", shape: cross, weight: 8 },
  undecided: { word: "not decided", tone: "failed", shape: holed, weight: 9 },
  failed: { word: "failed", tone: "failed", shape: notched, weight: 10 },
} as const satisfies Record<string, OutcomeLook>;

export type Outcome = keyof typeof OUTCOMES;

/** The shape that stands for a slot of which nothing is known: before a young cron's first. */
export const baseline: Shape = (x, y, width, height) =>
  `M${x} ${y + height - 2}h${width}v2h${-width}z`;

const LETTERS: Readonly<Record<string, Outcome>> = {
  ...{ c: "completed", f: "failed", x: "canceled", r: "running", e: "enqueued", l: "caught_up" },
  ...{ p: "completed", s: "skipped", m: "missed", d: "denied", t: "undecided" },
};

/** The slots of a strip as the API writes them: a letter each, oldest first. */
export const fromLetters = (strip: string): Outcome[] =>
  [...strip].map((letter) => LETTERS[letter] ?? "enqueued");

/** What became of a slot: of one that made a job, what became of that. */
export function slotOutcome(
  tick: "enqueued" | "skipped" | "replaced" | "caught_up" | "missed" | "denied" | "failed",
  job: "pending" | "queued" | "running" | "completed" | "failed" | "canceled" | undefined,
): Outcome {
  if (tick === "failed") return "undecided";
  if (job === undefined || tick === "skipped" || tick === "missed" || tick === "denied")
    return tick;
  return tick === "caught_up" && job === "completed" ? "caught_up" : job;
}

/** The worst of several. */
export function worst(outcomes: readonly Outcome[]): Outcome | undefined {
  return outcomes.reduce<Outcome | undefined>(
    (found, outcome) =>
      found === undefined || OUTCOMES[outcome].weight > OUTCOMES[found].weight ? outcome : found,
    undefined,
  );
}

/** Those there are, the worst first. */
export const worstFirst = (outcomes: readonly Outcome[]): Outcome[] =>
  [...new Set(outcomes)].sort((a, b) => OUTCOMES[b].weight - OUTCOMES[a].weight);

/** `26 completed, 2 failed, 1 missed`: most frequent first. */
export function tally(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const { word } = OUTCOMES[outcome];
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([word, times]) => `${times} ${word}`).join(", ");
}
