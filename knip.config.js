/**
 * Every export, file and dependency has a user. Entries are what starts by itself or is imported by others: exports, commands, functions,
 * scripts, benchmarks, tests.
 *
 * @type {import("knip").KnipConfig}
 */
module.exports = {
  // Interfaces and types that exported functions name.
  ignoreExportsUsedInFile: { interface: true, type: true },
  workspaces: {
    ".": {
      entry: [
        "lib/index.ts",
        "lib/constructs/index.ts",
        "lib/constructs/guardrails/index.ts",
        "stacks/index.ts",
        "registry/index.ts",
        "registry/backends.ts",
        "main.ts",
        "lib/cli/secrets-registry.ts",
        "lib/{rotation,audit}/handlers/*.ts",
        "scripts/*.ts",
        // Processes of their own, started by their files' names.
        "bench/preview/measured.ts",
        "bench/synth/{by-hand,ours}.ts",
        "test/**/*.{test,proof}.ts",
        "test/**/*.mjs",
      ],
      project: ["{lib,stacks,registry,scripts,bench,test}/**/*.{ts,mjs}"],
      // Started by the test of the packages.
      ignoreDependencies: ["@arethetypeswrong/cli", "publint"],
      ignoreBinaries: ["terraform", "apt-get", "dpkg", "gitleaks", "go"],
    },
    "packages/rehearsal": {
      entry: ["src/index.ts", "src/synthesis/*.ts"],
      project: ["src/**/*.ts"],
    },
  },
  compilers: {
    // Commands load what they run when they run it; knip reads `require` where no type is asserted.
    ts: (text) => text.replace(/(require\("[^"]+"\)) as typeof import\("[^"]+"\)/g, "$1"),
  },
};
