import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CircuitBreaker } from "../../src/targets/breaker.js";
import { completed, failed } from "../../src/targets/outcome.js";

const fine = completed(null);
const broken = failed({ class: "connect", message: "" }, { broken: true });
const ownFault = failed({ class: "status", message: "answered 404" });
const aborted = failed({ class: "aborted", message: "" });

const breaker = () => new CircuitBreaker({ failures: 3, coolDownMs: 1000 });

/** One that has just opened, at time 0. */
function opened() {
  const it = breaker();
  for (let i = 0; i < 3; i++) it.record("a", broken, 0);
  return it;
}

describe("a circuit breaker", () => {
  test("opens after so many failures in a row, for its own key", () => {
    const it = breaker();
    it.record("a", broken, 0);
    it.record("a", broken, 0);
    expect(it.admit("a", 0)).toEqual({ admitted: true });
    it.record("a", broken, 10);
    expect(it.admit("a", 10)).toEqual({ admitted: false, retryAfterMs: 1000 });
    expect(it.admit("a", 510)).toEqual({ admitted: false, retryAfterMs: 500 });
    expect(it.admit("b", 10)).toEqual({ admitted: true });
  });

  test("counts only what is the target's fault, and anything else shows that it works", () => {
    const it = breaker();
    for (const outcome of [broken, broken, fine, broken, broken, ownFault, broken, broken]) {
      it.record("a", outcome, 0);
    }
    expect(it.admit("a", 0).admitted).toBe(true);
    expect(it.state("a").failures).toBe(2);
  });

  test("lets one call probe after the cool-down; its success closes it", () => {
    const it = opened();
    expect(it.admit("a", 1000).admitted).toBe(true);
    expect(it.admit("a", 1000)).toEqual({ admitted: false, retryAfterMs: 1000 });
    it.record("a", fine, 1500);
    expect(it.admit("a", 1500).admitted).toBe(true);
    expect(it.states().size).toBe(0);
  });

  test("stays open for another cool-down when the probe fails", () => {
    const it = opened();
    it.admit("a", 1000);
    it.record("a", broken, 1200);
    expect(it.admit("a", 2199)).toEqual({ admitted: false, retryAfterMs: 1 });
    expect(it.admit("a", 2200).admitted).toBe(true);
  });

  test("lets another call probe when one was aborted, or never heard of again", () => {
    const it = opened();
    it.admit("a", 1000);
    it.record("a", aborted, 1100);
    expect(it.admit("a", 1100).admitted).toBe(true);
    expect(it.admit("a", 2099).admitted).toBe(false);
    expect(it.admit("a", 2100).admitted).toBe(true);
  });

  test("is not kept open by calls that were under way when it opened", () => {
    const it = opened();
    it.record("a", broken, 900);
    expect(it.admit("a", 1000).admitted).toBe(true);
  });

  test("can be stored and taken up elsewhere", () => {
    const [[key, state] = ["", opened().state("")]] = opened().states();
    const other = breaker();
    other.restore(key, JSON.parse(JSON.stringify(state)) as typeof state);
    expect(other.admit("a", 400)).toEqual({ admitted: false, retryAfterMs: 600 });
    other.restore("a", { failures: 0, openSince: null, probing: false });
    expect(other.admit("a", 400).admitted).toBe(true);
  });

  test("never lets two calls through in one cool-down while it is open", () => {
    const steps = fc.array(fc.tuple(fc.nat(400), fc.constantFrom("broken", "ask")), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (taken) => {
        const it = opened();
        let now = 0;
        let last = -Infinity;
        for (const [wait, what] of taken) {
          now += wait;
          if (what === "broken") it.record("a", broken, now);
          else if (it.admit("a", now).admitted) {
            expect(now - last).toBeGreaterThanOrEqual(1000);
            last = now;
          }
        }
      }),
    );
  });
});
