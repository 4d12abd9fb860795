import fc from "fast-check";

export const OPS = [
  "enqueue",
  "claim",
  "complete",
  "fail",
  "retryLater",
  "discard",
  "release",
  "extend",
  "cancel",
  "move",
  "runAgain",
  "redrive",
  "advance",
  "sweep",
  "die",
] as const;

/** One thing done to the queue: `pick` chooses a job or a lease among those there are, `by` is an amount. */
export interface Step {
  readonly op: (typeof OPS)[number];
  readonly pick: number;
  readonly by: number;
}

const WEIGHTS: Partial<Record<Step["op"], number>> = { enqueue: 6, claim: 5, advance: 4 };

const step: fc.Arbitrary<Step> = fc.record({
  op: fc.oneof(...OPS.map((op) => ({ arbitrary: fc.constant(op), weight: WEIGHTS[op] ?? 2 }))),
  pick: fc.nat(1000),
  by: fc.nat(45),
});

export const steps = (least: number, most: number) =>
  fc.array(step, { minLength: least, maxLength: most });
