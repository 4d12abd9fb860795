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
import type { Needs } from "../needs/needs.js";
import { counted } from "../time/format.js";

type Counts = Exclude<keyof Needs, "critical">;

/** An entry of the rail. */
export interface RailPage {
  to: string;
  text: string;
  icon: ComponentType<{ size?: number; "aria-hidden"?: "true" }>;
  /** Pressed after `g`. */
  key: string;
  /** It has no place in the bar of a phone. */
  more?: boolean;
  /** What on it needs somebody, and how that is said. */
  needs?: { which: Counts; words: (many: number) => string };
}

/** The pages of the rail, in their order. */
export const PAGES: readonly RailPage[] = [
  {
    to: "/",
    text: "Overview",
    icon: LayoutDashboard,
    key: "o",
    needs: {
      which: "causes",
      words: (many) => `${many} ${many === 1 ? "needs" : "need"} attention`,
    },
  },
  {
    to: "/crons",
    text: "Crons",
    icon: ListChecks,
    key: "c",
    needs: { which: "crons", words: (many) => counted(many, "failing cron") },
  },
  { to: "/upcoming", text: "Upcoming", icon: CalendarClock, key: "u", more: true },
  { to: "/jobs", text: "Jobs", icon: Rows3, key: "j" },
  {
    to: "/dead-letters",
    text: "Dead letters",
    icon: MailX,
    key: "d",
    needs: { which: "letters", words: (many) => counted(many, "letter") },
  },
  { to: "/admin", text: "Admin", icon: ShieldCheck, key: "a", more: true },
  { to: "/doctor", text: "Doctor", icon: Stethoscope, key: "h", more: true },
];
