import { CarillonError } from "../errors.js";

/**
 * Waits for work no longer than this. A statement that takes long is ended by the database; this is
 * for a database, or a network, that does not answer at all.
 *
 * @throws CarillonError `timeout`
 */
export async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new CarillonError("timeout", `no result within ${ms / 1000} s; it may still come`));
    }, ms);
  });
  try {
    // Work that loses this race is let go: its failure, too, comes too late to be told.
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
