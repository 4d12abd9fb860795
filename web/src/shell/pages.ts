import {
  CalendarClock,
  LayoutDashboard,
  ListChecks,
  MailX,
  Rows3,
  ShieldCheck,
  Stethoscope,
} from "lucide-react";
import type { ComponentType } from "react";

/** An entry of the rail. */
export interface RailPage {
  to: string;
  text: string;
  icon: ComponentType<{ size?: number; "aria-hidden"?: "true" }>;
  /** Pressed after `g`. */
  key: string;
}

/** The pages of the rail, in their order. */
export const PAGES: readonly RailPage[] = [
  { to: "/", text: "Overview", icon: LayoutDashboard, key: "o" },
  { to: "/crons", text: "Crons", icon: ListChecks, key: "c" },
  { to: "/upcoming", text: "Upcoming", icon: CalendarClock, key: "u" },
  { to: "/jobs", text: "Jobs", icon: Rows3, key: "j" },
  { to: "/dead-letters", text: "Dead letters", icon: MailX, key: "d" },
  { to: "/admin", text: "Admin", icon: ShieldCheck, key: "a" },
  { to: "/doctor", text: "Doctor", icon: Stethoscope, key: "h" },
];
