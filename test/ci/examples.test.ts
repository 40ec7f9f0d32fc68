import { execFile, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { changeDigest } from "../../lib/contracts";
import { changeAudience } from "../../lib/model/names";
import { cli } from "../cli/run-cli";
import { CLI, git, pullRequest, replacedKey, TREE } from "./pull-request";
import { stepOf } from "./workflow";

jest.setTimeout(120_000);

const EXAMPLES = join(TREE, "examples/ci");
const CANARY = "canary-52c1d7";

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "examples-"));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a script in a shell of its own, beside servers of this process. */
const run = (script: string, cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Result> =>
  new Promise((resolve) => {
    execFile(
      "bash",
      ["--noprofile", "--norc", "-eo", "pipefail", "-c", script],
      {
        cwd,
        env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_NO_WARNINGS: "1", ...env },
        encoding: "utf8",
      },
      (failure, out, err) => resolve({ code: failure === null ? 0 : Number(failure.code), out, err }),
    );
  });

const TOOLS = { INSTALL: "true", SYNTH: "cp -R rendered cdktf.out", CLI };

/** A pull request of a repository that has the examples. */
function repository(name: string): string {
  const folder = pullRequest(join(place, name));
  cpSync(EXAMPLES, join(folder, "examples/ci"), { recursive: true });
  return folder;
}

/** A plan as Terraform would show it, with values that must not get out. */
const PLAN = JSON.stringify({
  format_version: "1.2",
  variables: { token: { value: CANARY } },
  prior_state: { values: CANARY },
  resource_changes: [replacedKey(CANARY)],
});

test("every file is one that a test runs or reads", () => {
  const files = readdirSync(EXAMPLES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(EXAMPLES.length + 1))
    .sort();
  expect(files).toEqual([
    "atlantis/atlantis.yaml",
    "atlantis/preview.sh",
    "atlantis/repos.yaml",
    "gitlab/.gitlab-ci.yml",
    "gitlab/vouch-variables.sh",
    "hcp-terraform/plan-of-run.sh",
    "preview.sh",
    "reduced-plan.sh",
    "spacelift/config.yml",
  ]);
});

describe("the preview of any CI", () => {
  test("synthesizes both sides, fails where it is asked to, and leaves nothing behind", async () => {
    const folder = repository("any");
    const seen = await run("examples/ci/preview.sh", folder, { ...TOOLS, BASE: "HEAD^1" });
    expect(seen.code).toBe(0);
    expect(seen.out).toContain("**Access is broadened in `prod`.");
    const failing = await run("examples/ci/preview.sh", folder, {
      ...TOOLS,
      BASE: "HEAD^1",
      FORMAT: "text",
      FAIL_ON: "destroy broadened",
    });
    expect(failing).toMatchObject({ code: 1, out: expect.stringContaining("Access is broadened in prod.") });
    expect(git(folder, "worktree", "list").split("\n")).toHaveLength(1);
    expect((await run("examples/ci/preview.sh", folder, TOOLS)).err).toContain(
      "names the commit before the change",
    );
    const unknown = await run("examples/ci/preview.sh", folder, { ...TOOLS, BASE: "nowhere" });
    expect(unknown.code).not.toBe(0);
  });

  test("takes from a plan what the workflow takes", async () => {
    const reduced = await run(`printf %s '${PLAN}' | ${EXAMPLES}/reduced-plan.sh`, place);
    expect(reduced.out).not.toContain(CANARY);
    expect(JSON.parse(reduced.out).resource_changes).toEqual([
      { ...replacedKey(CANARY), change: { actions: ["delete", "create"] } },
    ]);
    const words = (text: string): string => text.replace(/\s+/g, " ");
    const [filter = ""] =
      /jq '\{[\s\S]*\}'/.exec(readFileSync(join(EXAMPLES, "reduced-plan.sh"), "utf8")) ?? [];
    expect(words(stepOf("preview.yml", "plan", "Keep places and actions").run ?? "")).toContain(
      words(filter),
    );
  });
});

describe("GitLab CI", () => {
  interface GitLabJob {
    readonly extends?: string;
    readonly rules?: readonly { readonly if?: string }[];
    readonly id_tokens?: Readonly<Record<string, { readonly aud: string }>>;
    readonly script?: readonly string[];
    readonly needs?: readonly string[];
    readonly variables?: Readonly<Record<string, string>>;
    readonly artifacts?: { readonly expose_as?: string };
  }
  const jobs = parse(readFileSync(join(EXAMPLES, "gitlab/.gitlab-ci.yml"), "utf8")) as Record<
    string,
    GitLabJob
  >;
  const scriptOf = (name: string): string => (jobs[name]?.script ?? []).join("\n");

  test("previews merge requests without a role, and vouches and deploys on pushes to the default branch alone", () => {
    expect(jobs.preview).not.toHaveProperty("id_tokens");
    expect(jobs.preview?.extends).toBeUndefined();
    for (const name of ["vouch variables", ".vouch", ".deploy"]) {
      expect([name, jobs[name]?.rules?.map((rule) => rule.if)]).toEqual([
        name,
        ['$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH'],
      ]);
    }
    expect([jobs["deploy stage"]?.needs, jobs["deploy prod"]?.needs]).toEqual([
      ["deploy dev"],
      ["deploy stage"],
    ]);
  });

  test("runs the preview of a merge request, and ends as it ends", async () => {
    const folder = repository("gitlab");
    const env = {
      ...TOOLS,
      CI_MERGE_REQUEST_DIFF_BASE_SHA: git(folder, "rev-parse", "HEAD^1"),
      CI_MERGE_REQUEST_TARGET_BRANCH_SHA: "",
      PREVIEW_FAIL_ON: "broadened",
    };
    const { code, out } = await run(scriptOf("preview"), folder, env);
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining("Access is broadened") });
    expect(readFileSync(join(folder, "preview.md"), "utf8")).toContain("Access is broadened");
  });

  test("gives each environment's job the audience of the one change request that a push brought", async () => {
    const folder = join(place, "vouching");
    mkdirSync(folder);
    git(folder, "init", "-q", "-b", "main");
    git(folder, "commit", "-q", "--allow-empty", "-m", "before");
    const before = git(folder, "rev-parse", "HEAD");
    const today = new Date().toISOString().slice(0, 10);
    const write = async (key: string): Promise<string> => {
      const made = await cli(
        ...["change", "new", key, "--reason", "Quarterly rotation", "--requester", "alice@example.com"],
        ...[
          "--out",
          join(folder, "security/change-requests"),
          "--format",
          "json",
          "--schedule",
          `prod=${today}`,
        ],
      );
      git(folder, "add", "-A");
      git(folder, "commit", "-q", "-m", key);
      return JSON.parse(made.out).file.slice(folder.length + 1);
    };
    const file = await write("jwt/signing");
    const variables = () =>
      run(join(EXAMPLES, "gitlab/vouch-variables.sh"), folder, {
        CLI: `${CLI} --registry ${join(TREE, "registry")}`,
        CI_COMMIT_BEFORE_SHA: before,
        CI_COMMIT_SHA: "HEAD",
      });
    const made = await variables();
    const digest = changeDigest(readFileSync(join(folder, file), "utf8"));
    expect(made).toEqual({
      code: 0,
      err: "",
      out: [
        `VOUCH_CHANGE=${file}`,
        ...["dev", "stage", "prod"].map(
          (name) => `VOUCH_${name.toUpperCase()}=${changeAudience("acme", name, digest)}`,
        ),
        "",
      ].join("\n"),
    });
    // The names that the jobs ask for are those that the script writes.
    expect(jobs["vouch prod"]?.id_tokens?.VOUCH_TOKEN?.aud).toBe("$VOUCH_PROD");
    expect(jobs["vouch stage"]?.id_tokens?.VOUCH_TOKEN?.aud).toBe("$VOUCH_STAGE");
    const vouched = await run(scriptOf(".vouch"), folder, {
      CLI: "echo",
      CI_ROLE: "r",
      VOUCH_ENVIRONMENT: "prod",
      VOUCH_CHANGE: file,
    });
    expect(vouched.out).toBe(`change vouch --env prod --token-variable VOUCH_TOKEN ${file}\n`);
    await write("payments/stripe");
    expect(await variables()).toMatchObject({
      code: 1,
      err: expect.stringContaining("2 change requests came"),
    });
  });
});

describe("Atlantis", () => {
  test("shows the preview with its plan, and leaves the stack that it plans as it is", async () => {
    const folder = repository("atlantis");
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD^1");
    const stack = join(folder, "cdktf.out/stacks/prod");
    mkdirSync(stack, { recursive: true });
    writeFileSync(join(stack, "plan.json"), PLAN);
    const { workflows } = parse(readFileSync(join(EXAMPLES, "atlantis/repos.yaml"), "utf8"));
    const step = workflows.secrets.plan.steps.find((entry: object | string) => typeof entry === "object");
    const { code, out } = await run(step.run, stack, {
      ...TOOLS,
      SHOWFILE: join(stack, "plan.json"),
      BASE_BRANCH_NAME: "main",
      PROJECT_NAME: "prod",
    });
    expect(code).toBe(0);
    expect(out).toContain("Access is broadened in prod.");
    expect(out).toContain("aws_kms_key");
    expect(out).not.toContain(CANARY);
    expect(existsSync(join(stack, "plan.json"))).toBe(true);
    const { projects } = parse(readFileSync(join(EXAMPLES, "atlantis/atlantis.yaml"), "utf8"));
    expect(projects.map((project: { name: string; dir: string }) => [project.name, project.dir])).toEqual(
      ["dev", "stage", "prod"].map((name) => [name, `cdktf.out/stacks/${name}`]),
    );
  });
});

describe("HCP Terraform", () => {
  /** As https://developer.hashicorp.com/terraform/cloud-docs/api-docs/plans says: not finished, then elsewhere. */
  let service: Server;
  let storage: Server;
  let pending = 0;
  const seenByStorage: (string | undefined)[] = [];
  const listening = (server: Server): Promise<string> =>
    new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () =>
        resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      );
    });
  let address: string;

  beforeAll(async () => {
    storage = createServer((request, response) => {
      seenByStorage.push(request.headers.authorization);
      response.end(PLAN);
    });
    // Another host, as the service's archive is.
    const elsewhere = (await listening(storage)).replace("127.0.0.1", "localhost");
    service = createServer((request, response) => {
      if (request.headers.authorization !== "Bearer of-a-team") response.writeHead(404).end();
      else if (request.url !== "/api/v2/runs/run-one/plan/json-output") response.writeHead(404).end();
      else if (pending > 0) {
        pending -= 1;
        response.writeHead(204).end();
      } else response.writeHead(307, { location: `${elsewhere}/plan` }).end();
    });
    address = await listening(service);
  });
  afterAll(async () => {
    for (const server of [service, storage]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test("gives the plan of a run when it is there, without what it holds", async () => {
    pending = 2;
    const fetched = (runId: string, more: Readonly<Record<string, string>> = {}) =>
      run(`${EXAMPLES}/hcp-terraform/plan-of-run.sh ${runId}`, place, {
        TFE_TOKEN: "of-a-team",
        TFE_ADDRESS: address,
        PAUSE: "0",
        ...more,
      });
    const plan = await fetched("run-one");
    expect(plan).toMatchObject({ code: 0, err: "" });
    expect(plan.out).not.toContain(CANARY);
    expect(JSON.parse(plan.out).resource_changes).toHaveLength(1);
    expect(seenByStorage).toEqual([undefined]);
    const denied = await fetched("run-one", { TFE_TOKEN: "another" });
    expect(denied).toMatchObject({ code: 1, err: expect.stringContaining("status 404") });
    expect(denied.err).not.toContain("another");
    pending = 1_000;
    expect(await fetched("run-one", { WAIT: "0" })).toMatchObject({ code: 1 });
  });
});

const hasTerraform = spawnSync("terraform", ["version"]).status === 0;

(hasTerraform ? test : test.skip)(
  "Spacelift plans the synthesized stack, and shows the preview",
  async () => {
    const folder = repository("spacelift");
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD^1");
    const { stack_defaults } = parse(readFileSync(join(EXAMPLES, "spacelift/config.yml"), "utf8"));
    const hooks = (lines: readonly string[]): string =>
      lines.join("\n").replaceAll("npm ci --ignore-scripts", "true").replaceAll("npx cdktf synth", "$SYNTH");
    // A stack without providers: what is planned here is not what the preview compares.
    const env = {
      ...TOOLS,
      SYNTH: "cp -R rendered cdktf.out",
      SECRETS_ENVIRONMENT: "prod",
    };
    const before = hooks(stack_defaults.before_init).replaceAll("npx secrets-registry prove", "echo prove");
    const { code, out } = await run(
      `${before}
test -e cdk.tf.json
echo '{ "resource": { "terraform_data": { "one": { "input": "${CANARY}" } } } }' > cdk.tf.json
terraform init -input=false > /dev/null
terraform plan -input=false -out=spacelift.plan > /dev/null
${hooks(stack_defaults.after_plan)}`,
      folder,
      env,
    );
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringContaining("Access is broadened in prod."),
    });
    expect(out).toContain("prove --env prod");
    expect(readFileSync(join(folder, "reduced-plan.json"), "utf8")).toContain("terraform_data.one");
    expect(out + readFileSync(join(folder, "reduced-plan.json"), "utf8")).not.toContain(CANARY);
  },
);
