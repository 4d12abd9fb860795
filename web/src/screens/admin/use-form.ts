import { CarillonApiError } from "carillon/client";
import { useMutation } from "@tanstack/react-query";
import { problemOf, sentence } from "../../api/problem.js";

/**
 * What a small form does, and what was wrong with it: at its fields, or as a whole.
 *
 * @param places the names of its fields that show what is wrong with them
 */
export function useForm<T>(
  act: () => Promise<T>,
  done: (made: T) => void,
  places: readonly string[] = [],
) {
  const mutation = useMutation({ mutationFn: act, onSuccess: done });
  const { error } = mutation;
  const fields = error instanceof CarillonApiError ? error.fields : [];
  const nameOf = (field: string) => field.split(/[.[]/)[0] ?? "";
  const placed = fields.length > 0 && fields.every(({ field }) => places.includes(nameOf(field)));
  return {
    submit: (event: { preventDefault: () => void }) => {
      event.preventDefault();
      mutation.mutate();
    },
    pending: mutation.isPending,
    errorOf: (name: string) => {
      const found = fields.find(({ field }) => nameOf(field) === name);
      return found && sentence(found.message);
    },
    problem: error === null || placed ? undefined : problemOf(error),
  };
}
