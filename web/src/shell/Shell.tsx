import { Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { PaletteHost } from "../palette/PaletteHost.js";
import { Confirmation } from "../parts/Confirmation.js";
import { Toasts } from "../parts/Toasts.js";
import { usePageTitle } from "../parts/Page.js";
import { ExpiredSession } from "../screens/sign-in/ExpiredSession.js";
import { AccountMenu } from "./AccountMenu.js";
import { AppMenu } from "./AppMenu.js";
import { Freshness } from "./Freshness.js";
import { Help } from "./Help.js";
import { Offline } from "./Offline.js";
import { Rail } from "./Rail.js";
import { useShortcuts } from "./shortcuts.js";
import { TimesMenu } from "./TimesMenu.js";
import { useKeptTimes } from "./use-kept-times.js";
import { useNeedsShown } from "./use-needs-shown.js";
import styles from "./shell.module.css";

/** What is around every page. */
export function Shell() {
  useShortcuts();
  useKeptTimes();
  const main = useMainFocus();
  const title = useNeedsShown(usePageTitle());
  return (
    <div className={styles.shell}>
      <title>{title}</title>
      <a href="#main" className={styles.skip}>
        Skip to the page
      </a>
      <Rail />
      <div className={styles.column}>
        <header className={styles.bar}>
          <AppMenu />
          <TimesMenu />
          <span className={styles.gap} />
          <PaletteHost />
          <Freshness />
          <AccountMenu />
        </header>
        <Offline />
        <main id="main" ref={main} tabIndex={-1} className={styles.main}>
          <Outlet />
        </main>
      </div>
      <ExpiredSession />
      <Help />
      <Confirmation />
      <Toasts />
    </div>
  );
}

/** A new page is where reading goes on, for those who do not see it change. */
function useMainFocus() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const before = useRef(path);
  useEffect(() => {
    if (before.current !== path) main.current?.focus({ preventScroll: true });
    before.current = path;
  }, [path]);
  return main;
}
