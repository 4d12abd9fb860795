import { z } from "zod";

/** A target as it was given; one made in SQL was checked in outline only. */
export const Target = z.looseObject({ type: z.enum(["http", "agent", "faktory", "container"]) });
