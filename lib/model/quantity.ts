/** Factors of Kubernetes' suffixes. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const QUANTITY = /^(\d+\.?\d*|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/;

/** Amount of a Kubernetes quantity: CPUs or bytes; `undefined` for a text that Kubernetes does not take, or takes for less than nothing. */
export function amountOf(quantity: string): number | undefined {
  const match = QUANTITY.exec(quantity);
  if (match === null) return undefined;
  const [, digits, suffix = "", exponent = "0"] = match;
  return Number(digits) * (FACTORS[suffix] ?? 1) * 10 ** Number(exponent);
}
