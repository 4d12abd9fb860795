import { z } from "zod";
import { COUNTED, type CronPage } from "../../db/summaries.js";

/** How many there are, as far as it is counted. */
export const Count = z.strictObject({
  count: z.int().describe(`Up to ${COUNTED}.`),
  capped: z.boolean().describe("There are more than that."),
});

export const toCount = ({ matched }: Pick<CronPage, "matched">): z.input<typeof Count> => ({
  count: Math.min(matched, COUNTED),
  capped: matched > COUNTED,
});
