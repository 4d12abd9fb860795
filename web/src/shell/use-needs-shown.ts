import { useEffect } from "react";
import { BASE } from "../config.js";
import { useNeeds } from "../needs/needs.js";

/** Tells of what needs somebody where the page itself is not seen: by the tab's title and its icon. */
export function useNeedsShown(title: string): string {
  const { causes, critical } = useNeeds();
  useEffect(() => {
    const icon = document.getElementById("icon");
    if (icon instanceof HTMLLinkElement) {
      icon.href = `${BASE}${critical ? "icon-alert.svg" : "icon.svg"}`;
    }
  }, [critical]);
  const named = title === "" ? "Carillon" : `${title} · Carillon`;
  return causes === 0 ? named : `(${causes}) ${named}`;
}
