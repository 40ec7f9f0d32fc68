const { availableParallelism } = require("node:os");

const toCommonJs = (syntax) => [
  "@swc/jest",
  { jsc: { parser: { syntax }, target: "es2022" }, module: { type: "commonjs" } },
];

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: "node",
  // Suites with real servers wait for them most of the time: three for two cores.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  // On a busy machine the default of 5 s cut off tests that do nothing wrong.
  testTimeout: 60_000,
  roots: ["<rootDir>/test"],
  testMatch: ["**/*.test.ts"],
  transform: {
    "^.+\\.ts$": toCommonJs("typescript"),
    // Published as ES modules only, which Jest on Node 20 cannot load as they are.
    "/node_modules/(jose|p-retry|is-network-error|age-encryption|@noble/[^/]+|@scure/[^/]+|uqr|@secretlint/[^/]+)/.+\\.m?js$":
      toCommonJs("ecmascript"),
  },
  transformIgnorePatterns: [
    "/node_modules/(?!(jose|p-retry|is-network-error|age-encryption|@noble/[^/]+|@scure/[^/]+|uqr|@secretlint/[^/]+)/)",
  ],
  modulePathIgnorePatterns: [
    "<rootDir>/dist",
    "<rootDir>/packages/rehearsal/dist",
    "<rootDir>/.cache",
    "<rootDir>/cdktf.out",
  ],
};
