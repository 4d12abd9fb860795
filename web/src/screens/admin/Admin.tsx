import { Link, Outlet } from "@tanstack/react-router";
import { useGrants, useMe } from "../../session/session.js";
import styles from "./admin.module.css";

/** What each part needs, in the words of the permissions. */
export const PARTS = [
  { to: "/admin/keys", text: "Keys", needs: undefined },
  { to: "/admin/people", text: "People", needs: "system:principal.read" },
  { to: "/admin/roles", text: "Roles", needs: "system:role.read" },
  { to: "/admin/apps", text: "Apps", needs: undefined },
  { to: "/admin/secrets", text: "Secrets", needs: "secret.read" },
  { to: "/admin/audit", text: "Audit", needs: "audit.read" },
] as const;

/** The parts one may see, and the one that is open. */
export function Admin() {
  const may = useMaySomewhere();
  return (
    <>
      <nav className={styles.parts} aria-label="Administration">
        {PARTS.filter(({ needs }) => needs === undefined || may(needs)).map(({ to, text }) => (
          <Link
            key={to}
            to={to}
            className={styles.part}
            activeOptions={{ includeSearch: false }}
            activeProps={{ "data-active": true }}
          >
            {text}
          </Link>
        ))}
      </nav>
      <Outlet />
    </>
  );
}

/** Whether one holds a permission: that of the system, or that of any app. */
function useMaySomewhere(): (needs: string) => boolean {
  const grants = useGrants();
  const { permissions } = useMe();
  return (needs) => {
    if (needs.startsWith("system:")) return grants(needs);
    if (grants(`system:${needs}`)) return true;
    const apps = permissions.map((one) => /^app:([^:*]+)/.exec(one)?.[1]);
    return apps.some((app) => app !== undefined && grants(`app:${app}:${needs}`));
  };
}
