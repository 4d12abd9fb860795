import type { Shape } from "./outcomes.js";

/* Shapes of outcomes: legible at 4 by 20 pixels, and apart without colour. */

const n = (value: number) => String(Math.round(value * 100) / 100);
const rect = (x: number, y: number, w: number, h: number) =>
  `M${n(x)} ${n(y)}h${n(w)}v${n(h)}h${n(-w)}z`;

/** A full bar. */
export const bar: Shape = rect;

/** A full bar with a notch cut from its top. */
export const notched: Shape = (x, y, w, h) => {
  const depth = Math.min(h * 0.4, w * 1.1 + 1.5);
  return `M${n(x)} ${n(y)}l${n(w / 2)} ${n(depth)}l${n(w / 2)} ${n(-depth)}v${n(h)}h${n(-w)}z`;
};

/** A full bar with a hole in it. */
export const holed: Shape = (x, y, w, h) => {
  const [edge, ih] = [Math.max(1, w * 0.25), h * 0.3];
  const [iw, iy] = [w - 2 * edge, y + h * 0.3];
  return `${rect(x, y, w, h)}M${n(x + edge)} ${n(iy)}v${n(ih)}h${n(iw)}v${n(-ih)}z`;
};

/** The lower half, filled. */
export const half: Shape = (x, y, w, h) => rect(x, y + h / 2, w, h / 2);

/** The lower half, as an outline. */
export const hollow: Shape = (x, y, w, h) => ring(x, y + h / 2, w, h / 2);

/** The whole bar, as an outline. */
export const outlined: Shape = (x, y, w, h) => ring(x, y, w, h);

const ring = (x: number, y: number, w: number, h: number) => {
  const edge = w < 6 ? 1 : 1.5;
  const [iw, ih] = [w - 2 * edge, h - 2 * edge];
  // Drawn the other way round, so that it is a hole.
  return `${rect(x, y, w, h)}M${n(x + edge)} ${n(y + edge)}v${n(ih)}h${n(iw)}v${n(-ih)}z`;
};

/** A bar in slanting slices. */
export const sliced: Shape = (x, y, w, h) => {
  const slant = Math.min(w * 0.6, h * 0.2);
  const slices = 3;
  const step = (h + slant * 0.5) / slices;
  return Array.from({ length: slices }, (_, at) => {
    const top = y + at * step + slant;
    const thick = step * 0.62 - (at === slices - 1 ? slant * 0.4 : 0);
    return `M${n(x)} ${n(top)}l${n(w)} ${n(-slant)}v${n(thick)}l${n(-w)} ${n(slant)}z`;
  }).join("");
};

/** A narrow bar on a foot. */
export const footed: Shape = (x, y, w, h) => {
  const foot = Math.max(2, h * 0.16);
  const thin = w * 0.5;
  return rect(x + (w - thin) / 2, y, thin, h - foot) + rect(x, y + h - foot, w, foot);
};

/** Nothing but a dot on the baseline. */
export const dot: Shape = (x, y, w, h) => {
  const r = Math.min(w / 2, h * 0.22);
  const [cx, cy] = [x + w / 2, y + h - r];
  return `M${n(cx - r)} ${n(cy)}a${n(r)} ${n(r)} 0 1 0 ${n(2 * r)} 0a${n(r)} ${n(r)} 0 1 0 ${n(-2 * r)} 0z`;
};

/** A cross on the baseline. */
export const cross: Shape = (x, y, w, h) => {
  const size = Math.min(w, h * 0.5);
  const t = Math.max(0.9, size * 0.16);
  const [l, top] = [x + (w - size) / 2, y + h - size];
  const [r, bottom] = [l + size, top + size];
  return (
    `M${n(l + t)} ${n(top)}L${n(r)} ${n(bottom - t)}L${n(r - t)} ${n(bottom)}L${n(l)} ${n(top + t)}z` +
    `M${n(r)} ${n(top + t)}L${n(l + t)} ${n(bottom)}L${n(l)} ${n(bottom - t)}L${n(r - t)} ${n(top)}z`
  );
};
