/** Whether permissions grant one: exactly, by `*`, or by `prefix:*`. The server has the last word. */
export const grants = (held: readonly string[], wanted: string): boolean =>
  held.some(
    (permission) =>
      permission === "*" ||
      permission === wanted ||
      (permission.endsWith(":*") && wanted.startsWith(permission.slice(0, -1))),
  );

/** What a list of permissions comes to: `everything`, `app:crm:*`, `3 permissions`. */
export function permissionsText(held: readonly string[]): string {
  if (held.includes("*")) return "everything";
  if (held.length === 0) return "nothing";
  // What a wider one has is not said again.
  const wide = held.filter(
    (one) =>
      one.endsWith(":*") &&
      !grants(
        held.filter((other) => other !== one),
        one,
      ),
  );
  const others = held.filter((one) => !grants(wide, one)).length;
  const counted = `${others} ${others === 1 ? "permission" : "permissions"}`;
  if (wide.length === 0) return counted;
  return [...wide, ...(others === 0 ? [] : [counted])].join(", ");
}
