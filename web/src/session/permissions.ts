/** Whether permissions grant one: exactly, by `*`, or by `prefix:*`. The server has the last word. */
export const grants = (held: readonly string[], wanted: string): boolean =>
  held.some(
    (permission) =>
      permission === "*" ||
      permission === wanted ||
      (permission.endsWith(":*") && wanted.startsWith(permission.slice(0, -1))),
  );
