/** The middle of some figures and the range of their middle half. */
export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

const quantile = (values: readonly number[], part: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
};

/** The middle one; of an even number the lower of the two. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Median and quartiles. */
export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  lower: quantile(values, 0.25),
  upper: quantile(values, 0.75),
});

/** `1.21 (1.18–1.26)`. */
export const showSpread = ({ median: middle, lower, upper }: Spread): string =>
  `${middle.toFixed(2)} (${lower.toFixed(2)}–${upper.toFixed(2)})`;
