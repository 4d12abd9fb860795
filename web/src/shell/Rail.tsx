import { Link, useNavigate, useRouterState } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { useNeeds, type Needs } from "../needs/needs.js";
import { Menu, MenuItem } from "../parts/Menu.js";
import { count } from "../time/format.js";
import { PAGES, type RailPage } from "./pages.js";
import styles from "./shell.module.css";

/** The way to every page, and how much on each needs somebody. */
export function Rail() {
  const needs = useNeeds();
  return (
    <nav className={styles.rail} aria-label="Pages">
      <Link to="/" className={styles.brand} aria-label="Carillon, overview">
        <Bell />
        <span data-wide>Carillon</span>
      </Link>
      <ul className={styles.pages}>
        {PAGES.map((page) => (
          <Entry key={page.to} page={page} needs={needs} />
        ))}
        <More />
      </ul>
    </nav>
  );
}

function Entry({ page, needs }: { page: RailPage; needs: Needs }) {
  const { to, text, icon: Icon, more = false, needs: of } = page;
  const waiting = of === undefined ? 0 : needs[of.which];
  const words = of === undefined || waiting === 0 ? "" : of.words(waiting);
  return (
    <li data-more={more || undefined}>
      <Link
        to={to}
        className={styles.page}
        activeOptions={{ exact: to === "/", includeSearch: false }}
        activeProps={{ "data-active": true }}
        title={words === "" ? text : `${text}: ${words}`}
      >
        <Icon size={16} aria-hidden="true" />
        <span>{text}</span>{" "}
        {waiting > 0 && (
          <b
            className={styles.needs}
            data-alert={(of?.which !== "letters" && needs.critical) || undefined}
          >
            {waiting > 999 ? "999+" : count(waiting)}
            <span className="sr-only"> {words.replace(/^\S+ /, "")}</span>
          </b>
        )}
      </Link>
    </li>
  );
}

/** On a phone: the pages that have no place in its bar. */
function More() {
  const navigate = useNavigate();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const rest = PAGES.filter(({ more }) => more === true);
  const here = rest.some(({ to }) => path.startsWith(to));
  return (
    <li className={styles.more}>
      <Menu
        trigger={
          <button type="button" className={styles.page} data-active={here || undefined}>
            <Ellipsis size={16} aria-hidden="true" />
            <span>More</span>
          </button>
        }
      >
        {rest.map(({ to, text, icon: Icon }) => (
          <MenuItem key={to} icon={<Icon size={15} />} onClick={() => void navigate({ to })}>
            {text}
          </MenuItem>
        ))}
      </Menu>
    </li>
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
