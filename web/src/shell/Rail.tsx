import { Link } from "@tanstack/react-router";
import { PAGES } from "./pages.js";
import styles from "./shell.module.css";

/** The way to every page. */
export function Rail() {
  return (
    <nav className={styles.rail} aria-label="Pages">
      <Link to="/" className={styles.brand} aria-label="Carillon, overview">
        <Bell />
        <span data-wide>Carillon</span>
      </Link>
      <ul className={styles.pages}>
        {PAGES.map(({ to, text, icon: Icon }) => (
          <li key={to}>
            <Link
              to={to}
              className={styles.page}
              activeOptions={{ exact: to === "/", includeSearch: false }}
              activeProps={{ "data-active": true }}
              title={text}
            >
              <Icon size={16} aria-hidden="true" />
              <span>{text}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Bell() {
  return (
    <svg viewBox="0 0 32 32" width={24} height={24} aria-hidden="true" className={styles.bell}>
      <rect width="32" height="32" rx="7" />
      <path d="M16 5.5a1.6 1.6 0 0 1 1.6 1.6v.7c3.6.7 5.9 3.6 5.9 7.4 0 4.3.9 5.8 2 6.9.3.3.1.9-.4.9H6.9c-.5 0-.7-.6-.4-.9 1.1-1.1 2-2.6 2-6.9 0-3.8 2.3-6.7 5.9-7.4v-.7A1.6 1.6 0 0 1 16 5.5z" />
      <circle cx="16" cy="25.3" r="2.2" />
    </svg>
  );
}
