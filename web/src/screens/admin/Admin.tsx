import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useInSight } from "../../parts/in-sight.js";
import { useGrants, useMe } from "../../session/session.js";
import styles from "./admin.module.css";
import { maySee, PARTS } from "./parts.js";

/** The parts one may see, and the one that is open. */
export function Admin() {
  const grants = useGrants();
  const { permissions } = useMe();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const nav = useInSight<HTMLElement>(path);
  return (
    <>
      <nav ref={nav} className={styles.parts} aria-label="Administration">
        {PARTS.filter((part) => maySee(part, permissions, grants)).map(({ to, text }) => (
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
