/**
 * The import rule, as a table: each module and what it may import of ours.
 * Everything else between modules is an error.
 */
const modules = {
  registry: ["lib/model"],
  "lib/model": [],
  "lib/contracts": ["lib/model"],
  "lib/blueprint": ["lib/model", "lib/contracts"],
  "lib/guardrails": ["lib/model"],
  "lib/bundles": [],
  "lib/constructs": ["lib/model", "lib/blueprint", "lib/bundles", "lib/guardrails"],
  "lib/lambda": [],
  "lib/rotation": ["lib/model", "lib/contracts", "lib/lambda"],
  "lib/audit": ["lib/model", "lib/contracts", "lib/lambda"],
  "lib/break-glass": ["lib/model"],
  "lib/proof": ["lib/model", "lib/contracts", "lib/blueprint"],
  "lib/preview": ["lib/model", "lib/contracts", "lib/blueprint", "lib/proof/index.ts"],
  "lib/cli": [
    "lib/model",
    "lib/contracts",
    "lib/blueprint",
    "lib/preview/index.ts",
    "lib/proof/index.ts",
    "lib/guardrails/index.ts",
    "lib/rotation/index.ts",
    "lib/rotation/cloud.ts",
    "lib/audit/index.ts",
    "lib/break-glass/index.ts",
  ],
  "packages/rehearsal": [
    "lib/model",
    "lib/contracts",
    "lib/blueprint",
    "lib/bundles",
    "lib/rotation",
    "lib/audit",
    "lib/cli/index.ts",
  ],
  stacks: ["lib/model", "lib/blueprint", "lib/constructs"],
};

/** Program of the rehearsal that synthesizes stacks, in a process of its own. */
const SYNTHESIS = "^packages/rehearsal/src/synthesis/";

const engine = "node_modules/(cdktf|constructs|@cdktf)/";

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(modules).map(([folder, allowed]) => ({
      name: `module-${folder.replace("/", "-")}`,
      comment: `${folder} may import only ${allowed.join(", ") || "nothing of ours"}`,
      severity: "error",
      from: { path: `^${folder}/`, pathNot: SYNTHESIS },
      to: {
        path: "^(lib|packages|registry|stacks|test|main\\.ts)",
        pathNot: [folder, ...allowed].map((path) => (path.endsWith(".ts") ? `^${path}$` : `^${path}/`)),
      },
    })),
    {
      name: "providers-apart",
      comment: "AWS, Vault and Kubernetes constructs never import each other; SecretsRegistry joins them",
      severity: "error",
      from: { path: "^lib/constructs/(aws|vault|kubernetes)/" },
      to: { path: "^lib/constructs/(aws|vault|kubernetes)/", pathNot: "^lib/constructs/$1/" },
    },
    {
      name: "engine-in-its-modules",
      comment: "cdktf and its providers stay in lib/constructs, stacks and main.ts",
      severity: "error",
      from: { path: "^(lib|packages|registry)/", pathNot: ["^lib/constructs/", SYNTHESIS] },
      to: { path: engine },
    },
    {
      name: "synthesis-apart",
      comment: "the rehearsal's program that synthesizes is started, and imported by nobody",
      severity: "error",
      from: { pathNot: SYNTHESIS },
      to: { path: SYNTHESIS },
    },
    {
      name: "provider-sub-modules",
      comment: "the index of a provider package costs 5 s and 550 MB",
      severity: "error",
      from: {},
      to: { path: "node_modules/@cdktf/provider-[a-z]+/lib/index\\.(js|d\\.ts)$" },
    },
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-folder-cycles",
      comment: "folders of lib stand above what they import: no way leads back, through whatever files",
      severity: "error",
      scope: "folder",
      from: { path: "^(lib|packages)/" },
      to: { circular: true },
    },
    {
      name: "no-orphans",
      severity: "error",
      from: { orphan: true, path: "^(lib|packages)/", pathNot: SYNTHESIS },
      to: {},
    },
    {
      name: "not-to-dev-dependency",
      severity: "error",
      from: { path: "^(lib|stacks|registry|main)" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["npm-peer"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^packages/[^/]+/dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default"],
    },
  },
};
