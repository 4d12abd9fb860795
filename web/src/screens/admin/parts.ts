/** A part of the administration: what it needs is a permission of the system, or one of any app. */
export interface AdminPart {
  to: string;
  text: string;
  needs: string | undefined;
}

/** The parts, in their order. */
export const PARTS: readonly AdminPart[] = [
  { to: "/admin/keys", text: "Keys", needs: undefined },
  { to: "/admin/people", text: "People", needs: "system:principal.read" },
  { to: "/admin/roles", text: "Roles", needs: "system:role.read" },
  { to: "/admin/apps", text: "Apps", needs: undefined },
  { to: "/admin/secrets", text: "Secrets", needs: "secret.read" },
  { to: "/admin/targets", text: "Targets", needs: "target.read" },
  { to: "/admin/audit", text: "Audit", needs: "audit.read" },
  { to: "/admin/settings", text: "Settings", needs: undefined },
];

/**
 * Whether somebody may see a part.
 *
 * @param held their permissions
 */
export function maySee(
  { needs }: AdminPart,
  held: readonly string[],
  grants: (permission: string) => boolean,
): boolean {
  if (needs === undefined) return true;
  if (needs.startsWith("system:")) return grants(needs);
  if (grants(`system:${needs}`)) return true;
  const apps = held.map((one) => /^app:([^:*]+)/.exec(one)?.[1] ?? "");
  return [...apps, "any"].some((app) => grants(`app:${app}:${needs}`));
}
