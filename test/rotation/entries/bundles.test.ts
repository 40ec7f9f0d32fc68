import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { bundleSizes, LARGEST_ZIP_BYTES } from "../../../bench/bundle-sizes";
import { BUNDLE_OPTIONS, LOADED_LATER, LOADED_LATER_SOURCE } from "../../../scripts/bundle-options";

const run = promisify(execFile);
const root = join(__dirname, "../../..");
const handlers = readdirSync(join(root, "lib/rotation/handlers")).map((file) => file.replace(/\.ts$/, ""));

/** Settings that every file holds. */
const SETTINGS = {
  environment: "dev",
  region: "eu-central-1",
  publicationsTable: "t",
  auditKeyAlias: "alias/a",
  secrets: {},
};

const COMMON = { registry: "acme", environment: "dev", region: "eu-central-1" };
const OPERATOR = "arn:aws:sts::111111111111:assumed-role/operator/ana@example.com";

interface Foreign {
  readonly event: object;
  readonly settings: object;
  /** Default: `secret-not-ours`. */
  readonly code?: string;
}

/** Functions of the procedure: an event about nothing that their settings name. */
const PROCEDURE: Readonly<Record<string, Foreign>> = {
  dispatcher: {
    event: { Action: "rotate", Key: "other", Requester: OPERATOR },
    settings: {
      ...COMMON,
      ...{
        runsTable: "r",
        changesTable: "c",
        publicationsTable: "p",
        auditKeyAlias: "alias/a",
        stateMachineArn: "m",
        changeRequest: "none",
        secrets: {},
      },
    },
  },
  recorder: {
    event: { Secret: "dev/other", Run: "v", Status: "awaiting-approval" },
    settings: { ...COMMON, runsTable: "r", changesTable: "c", recordsBucket: "b", secrets: {} },
  },
  checker: {
    event: { Checks: ["other/health"], Environment: "dev", Secret: "dev/other", Version: "v" },
    settings: { ...COMMON, checks: {} },
    code: "settings-malformed",
  },
  restarter: {
    event: { Workloads: ["other"], Version: "v" },
    settings: { ...COMMON, clusters: [], workloads: {} },
    code: "settings-malformed",
  },
  watcher: {
    event: {},
    settings: {
      ...COMMON,
      publicationsTable: "p",
      auditKeyAlias: "alias/a",
      remindersTopicArn: "t",
      dueAheadSeconds: 1,
      stuckAfterSeconds: 1,
      secrets: {},
    },
    // It has nobody to ask about, and no credentials to say so.
    code: "unexpected",
  },
  "approval-gate": {
    // A proof of another region: refused before anybody is asked.
    event: {
      Action: "approve",
      Secret: "dev/other",
      Run: "v",
      Proof: {
        Authorization: `AWS4-HMAC-SHA256 Credential=AKIAAAAAAAAAAAAAAAAA/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`,
        Date: "20260101T000000Z",
      },
    },
    settings: { ...COMMON, runsTable: "r", approvers: ["arn:aws:iam::111111111111:role/approver"] },
    code: "proof-refused",
  },
  "change-gate": {
    event: { Change: "nothing", Token: "none" },
    settings: {
      ...COMMON,
      changesTable: "c",
      issuer: "https://token.actions.githubusercontent.com",
      keySet: "https://token.actions.githubusercontent.com/.well-known/jwks",
      claims: { repository: ["acme/infrastructure"], ref: ["refs/heads/main"] },
      keys: [],
    },
    code: "change-malformed",
  },
};

/** An event for a secret that is nobody's, and the settings that do not name it. */
const foreign = (name: string): Foreign =>
  PROCEDURE[name] ??
  (name === "mirror"
    ? {
        event: {
          source: "aws.secretsmanager",
          "detail-type": "Secret Label Updated",
          resources: ["arn:aws:secretsmanager:eu-central-1:111111111111:secret:dev/other-AbC123"],
          detail: { name: "dev/other", labelUpdated: "AWSCURRENT", versionId: "v" },
        },
        settings: { ...SETTINGS, vaults: [] },
      }
    : {
        event: { Step: "createSecret", SecretId: "dev/other", ClientRequestToken: "v" },
        settings: { ...SETTINGS, kind: name },
      });

/** Loads a bundle as Lambda does and gives the answer to one event. */
const INVOKE = `
  require(process.argv[1]).handler(JSON.parse(process.argv[2])).catch(({ name, code, message }) => {
    console.log("\\nANSWER " + JSON.stringify({ name, code, message }));
  });`;

interface Answer {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
}

async function invoke(bundle: string, folder: string, event: object): Promise<Answer> {
  const { stdout } = await run(process.execPath, ["-e", INVOKE, bundle, JSON.stringify(event)], {
    env: { PATH: process.env.PATH, LAMBDA_TASK_ROOT: folder, AWS_REGION: "eu-central-1" },
  });
  const line = stdout.split("\n").find((candidate) => candidate.startsWith("ANSWER "));
  return JSON.parse(line?.slice("ANSWER ".length) ?? "{}");
}

describe("bundles", () => {
  let folder = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rotation-bundles-"));
    await build({
      ...BUNDLE_OPTIONS,
      absWorkingDir: root,
      entryPoints: {
        ...Object.fromEntries(handlers.map((name) => [name, `lib/rotation/handlers/${name}.ts`])),
        [LOADED_LATER.replace(/\.js$/, "")]: `lib/rotation/${LOADED_LATER_SOURCE}`,
      },
      outdir: folder,
      logLevel: "error",
    });
  }, 30_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("are small enough, and one that is not is noticed", () => {
    const { figures, misses } = bundleSizes(folder);
    expect(figures).toHaveLength(handlers.length);
    expect(misses).toEqual([]);
    const crowded = mkdtempSync(join(tmpdir(), "rotation-bundles-"));
    try {
      writeFileSync(join(crowded, "small.js"), "0");
      // Random bytes do not shrink.
      writeFileSync(join(crowded, "large.js"), randomBytes(LARGEST_ZIP_BYTES));
      expect(bundleSizes(crowded).misses).toEqual([expect.stringMatching(/^large: 35\d KB zipped$/)]);
    } finally {
      rmSync(crowded, { recursive: true, force: true });
    }
  });

  test.each(handlers)(
    "%s loads, misses its settings, finds them, and refuses a foreign secret",
    async (name) => {
      const bundle = join(folder, `${name}.js`);
      const { event, settings, code = "secret-not-ours" } = foreign(name);
      rmSync(join(folder, "settings.json"), { force: true });
      expect(await invoke(bundle, folder, event)).toMatchObject({ code: "settings-malformed" });
      writeFileSync(join(folder, "settings.json"), JSON.stringify(settings));
      expect(await invoke(bundle, folder, event)).toMatchObject({ code });
    },
  );
});
