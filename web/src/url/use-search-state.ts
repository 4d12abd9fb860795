import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import type { SearchSchema } from "./search.js";

/**
 * What a page shows, kept in its URL.
 *
 * @returns the state, and a function that changes parts of it; a change is a step for Back, unless
 *   it is one of many (a letter typed) and replaces the one before
 */
export function useSearchState<S extends object>(
  schema: SearchSchema<S>,
): [S, (changes: Partial<S>, how?: { replace?: boolean }) => void] {
  const search = useSearch({ strict: false });
  const state = useMemo(() => schema.parse(search), [schema, search]);
  const navigate = useNavigate();
  const change = useCallback(
    (changes: Partial<S>, { replace = false } = {}) => {
      void navigate({
        to: ".",
        search: ((previous: Record<string, unknown>) => {
          const next = schema.build({ ...schema.parse(previous), ...changes });
          const names = Object.keys(schema.parse({}));
          const others = Object.entries(previous).filter(([name]) => !names.includes(name));
          return { ...Object.fromEntries(others), ...next };
        }) as never,
        replace,
        resetScroll: false,
      });
    },
    [navigate, schema],
  );
  return [state, change];
}
