/**
 * Whether a set of permission strings grants one: exactly, by `*`, or by `prefix:*`.
 * The same rule as carillon._has_permission; a test holds both against each other.
 */
export const hasPermission = (held: readonly string[], wanted: string): boolean =>
  held.some(
    (permission) =>
      permission === "*" ||
      permission === wanted ||
      (permission.endsWith(":*") && wanted.startsWith(permission.slice(0, -1))),
  );

/** Whether a set of permission strings grants anything at all in an app. */
export const holdsAnyOf = (held: readonly string[], appId: string): boolean => {
  const inApp = `app:${appId}:`;
  return held.some((permission) => permission.startsWith(inApp)) || hasPermission(held, inApp);
};

/** Puts the parameters of a path into a permission such as `app:{appId}:cron.read`. */
export const fillPermission = (
  template: string,
  params: Readonly<Record<string, unknown>>,
): string => template.replace(/\{(\w+)\}/g, (_, name: string) => String(params[name]));
