import { z } from "zod";
import { ERRORS, type ErrorCode } from "../../errors.js";

/** An RFC 9457 problem document, with our extension members. */
export const Problem = z.strictObject({
  type: z.string().describe("urn:carillon:error: and the code."),
  title: z.string().describe("What kind of problem it is, in words."),
  status: z.int(),
  detail: z.string().describe("What is wrong with this request."),
  instance: z.string().describe("The request's id, as in the header x-request-id."),
  code: z.enum(Object.keys(ERRORS) as ErrorCode[]).describe("Stable, for programs."),
  error: z.string().describe("The same as detail, where clients of the RootCX API look for it."),
  rule: z.string().optional().describe("The rule that was broken, in full."),
  hint: z.string().optional().describe("What would be right."),
  missing: z.string().optional().describe("The permission that was missing."),
  errors: z
    .array(
      z.strictObject({
        field: z.string().describe("Where it is: crons[2].schedule, or a header's name."),
        message: z.string().describe("The rule it breaks, to be read after the field."),
      }),
    )
    .readonly()
    .optional()
    .describe("Every field at fault."),
});
export type Problem = z.output<typeof Problem>;
