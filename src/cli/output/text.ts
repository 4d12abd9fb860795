/** Text of others for a terminal: what would move its cursor or change its colours is shown instead. */
export const plain = (text: string) =>
  text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );

/** The same on one line. */
export const oneLine = (text: string) => plain(text.replace(/\s*\n\s*/g, " "));

/** A time for people: 2026-05-08 10:30:00Z; a dash for none. */
export function time(iso: string | null | undefined): string {
  if (iso === null || iso === undefined) return "-";
  return iso.replace("T", " ").replace(/(:\d\d)\.\d+Z$/, "$1Z");
}

/** Any value in a cell or a field. */
export function show(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  if (typeof value === "string")
    return /^\d{4}-\d\d-\d\dT.*Z$/.test(value) ? time(value) : oneLine(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string"))
    return oneLine(value.join(", ") || "-");
  return oneLine(JSON.stringify(value));
}
