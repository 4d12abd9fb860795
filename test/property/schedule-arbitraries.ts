import fc from "fast-check";

/** One field: *, steps, numbers, ranges and lists; numbers between low and high. */
function field(low: number, high: number): fc.Arbitrary<string> {
  const number = fc.integer({ min: low, max: high });
  const step = fc.integer({ min: 1, max: high });
  const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const element = fc.oneof(
    { weight: 5, arbitrary: number.map(String) },
    { weight: 2, arbitrary: range },
    { weight: 1, arbitrary: fc.tuple(range, step).map(([r, s]) => `${r}/${s}`) },
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant("*") },
    { weight: 2, arbitrary: step.map((s) => `*/${s}`) },
    { weight: 6, arbitrary: element },
    {
      weight: 3,
      arbitrary: fc.array(element, { minLength: 2, maxLength: 4 }).map((list) => list.join(",")),
    },
    { weight: 1, arbitrary: fc.tuple(step, element).map(([s, e]) => `*/${s},${e}`) },
  );
}

const monthDay = fc.oneof(
  { weight: 1, arbitrary: fc.constant("$") },
  { weight: 1, arbitrary: fc.constantFrom("28", "29", "30", "31", "28-31", "1") },
  { weight: 4, arbitrary: fc.constant("*") },
  { weight: 4, arbitrary: field(1, 31) },
);

/** Where most changes of offset take place, so that random schedules meet them. */
const hour = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom("0", "1", "2", "3", "1-3", "23", "0,2") },
  { weight: 2, arbitrary: field(0, 23) },
);

/** A 5-field schedule by the grammar; it may be one that can never fire. */
export const anyCron: fc.Arbitrary<string> = fc
  .tuple(
    field(0, 59),
    hour,
    monthDay,
    fc.oneof(fc.constant("*"), field(1, 12)),
    fc.oneof(fc.constant("*"), field(0, 7)),
  )
  .map((fields) => fields.join(" "));

/** True for the few schedules anyCron makes that have to be refused: no such day in any month. */
export function neverFires(schedule: string): boolean {
  const [, , days = "", months = "", weekDays = ""] = schedule.split(" ");
  if (days === "$" || !(days.startsWith("*") || weekDays.startsWith("*"))) return false;
  const lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  const selected = (text: string, low: number, high: number) =>
    Array.from({ length: high - low + 1 }, (_, i) => i + low).filter((n) =>
      text.split(",").some((element) => {
        const [range = "", step = "1"] = element.split("/");
        const [a = 0, b = a] = range === "*" ? [low, high] : range.split("-").map(Number);
        return n >= a && n <= b && (n - a) % Number(step) === 0;
      }),
    );
  return !selected(months, 1, 12).some((month) =>
    selected(days, 1, 31).some((day) => day <= (lengths[month - 1] ?? 0)),
  );
}

/** A 5-field schedule that fires. */
export const cron = anyCron.filter((schedule) => !neverFires(schedule));

export const rules = fc.record({
  gap: fc.constantFrom("shift" as const, "skip" as const),
  fold: fc.constantFrom("first" as const, "both" as const),
});

const digits = (value: number, width: number) => String(value).padStart(width, "0");

/** A local date and time, sometimes with seconds. */
export const localTime = fc
  .record({
    year: fc.integer({ min: 2020, max: 2040 }),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 1, max: 28 }),
    hour: fc.integer({ min: 0, max: 23 }),
    minute: fc.integer({ min: 0, max: 59 }),
    second: fc.option(fc.integer({ min: 0, max: 59 })),
  })
  .map(
    (t) =>
      `${t.year}-${digits(t.month, 2)}-${digits(t.day, 2)}T${digits(t.hour, 2)}:${digits(t.minute, 2)}` +
      (t.second === null ? "" : `:${digits(t.second, 2)}`),
  );

const time = fc
  .tuple(localTime, fc.constantFrom("", "", "Z", "+02:00", "-05:30"))
  .map(([local, offset]) => local + offset);

/** The three forms made of words. */
export const phrase = fc.oneof(
  fc.integer({ min: 1, max: 59 }).map((n) => `${n} seconds`),
  time.map((t) => `at ${t}`),
  fc
    .tuple(
      fc.oneof(
        fc.integer({ min: 1, max: 3000 }).map((n) => `${n} minutes`),
        fc.integer({ min: 1, max: 200 }).map((n) => `${n} hours`),
        fc.integer({ min: 1, max: 60 }).map((n) => `${n} days`),
      ),
      fc.option(time),
    )
    .map(([rate, start]) => `every ${rate}${start === null ? "" : ` from ${start}`}`),
);
