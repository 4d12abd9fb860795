/* What <input type="datetime-local"> speaks: times of the visitor's own clock, without a zone. */

const two = (value: number) => String(value).padStart(2, "0");

/** An instant as such a field has it. */
export function toLocal(instant: string | number): string {
  const at = new Date(instant);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** The instant of such a field; undefined for an empty or half-typed one. */
export function fromLocal(text: string): string | undefined {
  const at = new Date(text);
  return text === "" || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
