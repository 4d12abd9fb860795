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
  const wide = held.filter((one) => one.endsWith(":*"));
  const others = held.length - wide.length;
  const counted = `${others} ${others === 1 ? "permission" : "permissions"}`;
  if (wide.length === 0) return counted;
  return [...wide, ...(others === 0 ? [] : [counted])].join(", ");
}
