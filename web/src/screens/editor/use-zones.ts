import type { Suggestion } from "../../parts/Suggest.js";

const NONE: readonly Suggestion[] = [];

/** The zones the database knows. */
export const useZones = (): readonly Suggestion[] => NONE;
