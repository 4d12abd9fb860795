import { BASE } from "../config.js";
import { createStore } from "../store.js";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const given = document.documentElement.dataset.theme;

export const theme = createStore<Theme>(THEMES.find((one) => one === given) ?? "system");

/** Kept in a cookie, so that the server sends the page in its theme and nothing flashes. */
export function setTheme(next: Theme): void {
  theme.set(next);
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  const age = next === "system" ? 0 : 31_536_000;
  document.cookie = `carillon_theme=${next}; path=${BASE}; max-age=${age}; samesite=lax`;
}
