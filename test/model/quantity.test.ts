import { amountOf } from "../../lib/model/quantity";

/** Answers of `resource.ParseQuantity` of k8s.io/apimachinery v0.36.3. */
const TAKEN: readonly (readonly [string, number])[] = [
  ["1", 1],
  ["0.5", 0.5],
  [".5", 0.5],
  ["5.", 5],
  ["00.5", 0.5],
  ["0", 0],
  ["500m", 0.5],
  ["100u", 1e-4],
  ["100n", 1e-7],
  ["1e3", 1_000],
  ["1E3", 1_000],
  ["1e+2", 100],
  ["1e-3", 0.001],
  ["12E", 1.2e19],
  ["1k", 1_000],
  ["1M", 1e6],
  ["1G", 1e9],
  ["1T", 1e12],
  ["1P", 1e15],
  ["1Ki", 1_024],
  ["64Mi", 67_108_864],
  ["1.5Gi", 1_610_612_736],
  ["1Ti", 1_099_511_627_776],
  ["1Pi", 1_125_899_906_842_624],
  ["1Ei", 2 ** 60],
];

test.each(TAKEN)("%s is as much as Kubernetes takes it for", (text, amount) => {
  expect(amountOf(text)).toBeCloseTo(amount, 10);
});

test.each(["", "64MI", "64mi", "1K", "1 Gi", "1e", "0x10", "1,5", "1e3Mi"])(
  "%j is refused by Kubernetes",
  (text) => {
    expect(amountOf(text)).toBeUndefined();
  },
);

test.each(["-1", "+1", "Gi"])("%s is no amount that a container could have", (text) => {
  expect(amountOf(text)).toBeUndefined();
});
