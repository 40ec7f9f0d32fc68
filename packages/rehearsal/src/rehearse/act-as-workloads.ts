import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ResourceNotFoundException } from "@aws-sdk/client-secrets-manager";
import type { PodPlan, SecretPlan, WorkloadPlan } from "../../../../lib/blueprint";
import { isJob } from "../../../../lib/model/controller-kinds";
import { KV_VERSION_FIELD } from "../../../../lib/model/names";
import { namespaceLike } from "../../../../lib/model/namespace-patterns";
import { type Outcome, probeSecret, probeVault } from "../access";
import { type AgentProcess, type InjectedAgent, injectedAgent, startAgent } from "../agent";
import { type AwsAccess, secretsManager, takeWorkloadRole, type VaultCall } from "../load";
import { type ClusterIssuer, type OpenBao, OpenBaoRefusal, type ServerGroup } from "../servers";
import type { RehearsedWorld } from "../world";
import type { RehearsalDifference } from "./report";

/** Reads that workloads could and could not do. */
export interface Acts {
  /** By key: workloads that read it wherever they should, and found it in their files. */
  readonly readBy: ReadonlyMap<string, readonly string[]>;
  /** By key. */
  readonly refused: ReadonlyMap<string, number>;
  readonly differences: readonly RehearsalDifference[];
}

/** AWS's audience of ServiceAccount tokens. */
const STS = "sts.amazonaws.com";
const RENDERING_MS = 20_000;

/**
 * Acts as every workload: takes its role and its Vault token with a ServiceAccount token, tries to read every secret in every
 * region and from its Vault, and has an agent render its pod's files in each cluster.
 *
 * @param versions AWSCURRENT by key: what Vaults must serve
 */
export async function actAsWorkloads(
  world: RehearsedWorld,
  group: ServerGroup,
  versions: ReadonlyMap<string, string | undefined>,
): Promise<Acts> {
  const ledgers = await Promise.all(
    world.plan.workloads.map(async (workload) => {
      const ledger = new Ledger();
      await readFromAws(world, workload, ledger);
      for (const pod of workload.pods) {
        if (workload.vault === undefined) continue;
        await readFromVault(world, workload, pod, versions, ledger);
        await renderFiles(world, group, workload, pod, ledger);
      }
      return ledger;
    }),
  );
  const failed = new Set(ledgers.flatMap(({ failed }) => [...failed]));
  return {
    readBy: new Map(
      world.plan.secrets.map(({ key, consumers }) => [
        key,
        consumers.filter((workload) => !failed.has(`${workload} ${key}`)),
      ]),
    ),
    refused: new Map(
      world.plan.secrets.map(({ key }) => [
        key,
        ledgers.reduce((sum, { refused }) => sum + (refused.get(key) ?? 0), 0),
      ]),
    ),
    differences: ledgers.flatMap(({ differences }) => differences),
  };
}

/** Sorts outcomes of one workload into expected and other ones. */
class Ledger {
  readonly differences: RehearsalDifference[] = [];
  /** Attempts by key. */
  readonly refused = new Map<string, number>();
  /** `<workload> <key>` of what it should have and has not. */
  readonly failed = new Set<string>();

  /** @param seen what happened; a refusal or a success by itself */
  note(
    workload: string,
    secret: SecretPlan,
    where: string,
    { allowed, seen = allowed ? "it was read" : "refused" }: Seen,
    log: string,
  ): void {
    const wanted = secret.consumers.includes(workload);
    if (!allowed && !wanted) this.refused.set(secret.key, (this.refused.get(secret.key) ?? 0) + 1);
    if (allowed === wanted) return;
    const expected = `${wanted ? "reads it" : "is refused"} ${where}`;
    if (wanted) this.fail(workload, secret, expected, seen, log);
    else this.differ(secret.key, `${workload} ${expected}`, seen, log);
  }

  /** Reports access that a consumer should have and has not. */
  fail(workload: string, secret: SecretPlan, expected: string, seen: string, log: string): void {
    this.failed.add(`${workload} ${secret.key}`);
    this.differ(secret.key, `${workload} ${expected}`, seen, log);
  }

  differ(about: string, expected: string, seen: string, log: string): void {
    this.differences.push({ about, expected, seen, log });
  }
}

interface Seen extends Outcome {
  readonly seen?: string;
}

/** ServiceAccount of one of its pods: in some namespace, where a pattern stands for several. */
const podOf = ({ namespace, serviceAccount }: WorkloadPlan) => ({
  namespace: namespaceLike(namespace),
  serviceAccount,
});

async function readFromAws(world: RehearsedWorld, workload: WorkloadPlan, ledger: Ledger): Promise<void> {
  const { plan, issuers, shim, aws } = world;
  // In a cluster of its own: no other one's tokens take its role.
  const issuer = issuers.get(workload.pods[0]?.cluster ?? "");
  if (issuer === undefined) throw new Error(`${workload.name} lives in no cluster`);
  // The embedded AWS takes an audience as text only; AWS takes Kubernetes' list.
  const token = issuer.token({ ...podOf(workload), audience: STS, audienceForm: "text" });
  const access: AwsAccess = {
    endpoint: shim.endpoint,
    credentials: await takeWorkloadRole(shim.endpoint, plan.regions.primary, workload.role.arn, token),
  };
  for (const region of plan.regions.all) {
    const client = secretsManager(access, region);
    for (const secret of plan.secrets) {
      if (secret.store !== "aws") continue;
      const outcome: Seen = await probeSecret(client, "read", secret.name).catch((failure: unknown) => {
        if (failure instanceof ResourceNotFoundException) return { allowed: false, seen: "nothing is there" };
        throw failure;
      });
      ledger.note(workload.name, secret, `in ${region}`, outcome, aws.logFile);
    }
  }
}

/** Logs a pod in to its Vault. */
async function loginOf(
  { issuers, vaults, plan }: RehearsedWorld,
  workload: WorkloadPlan,
  pod: PodPlan,
): Promise<{ readonly call: VaultCall; readonly server: OpenBao; readonly issuer: ClusterIssuer }> {
  const cluster = plan.clusters.find(({ name }) => name === pod.cluster);
  const server = vaults.get(cluster?.vault ?? "");
  const issuer = issuers.get(pod.cluster);
  const vault = plan.vaults.find(({ name }) => name === cluster?.vault);
  const role = vault?.roles.find(
    (candidate) => candidate.cluster === pod.cluster && candidate.workload === workload.name,
  );
  if (!server || !issuer || !role) throw new Error(`${workload.name} has no Vault in ${pod.cluster}`);
  const jwt = issuer.token({ ...podOf(workload), audience: role.audience });
  const { auth } = await server.call("POST", `auth/${role.mount}/login`, {
    token: null,
    body: { role: role.name, jwt },
  });
  const token = auth?.client_token ?? "";
  const call: VaultCall = async (method, path, body) =>
    (await server.call(method, path, { token, ...(body ? { body } : {}) })).data;
  return { call, server, issuer };
}

const isRefusal = (error: unknown): boolean => error instanceof OpenBaoRefusal && error.status === 403;

async function readFromVault(
  world: RehearsedWorld,
  workload: WorkloadPlan,
  pod: PodPlan,
  versions: ReadonlyMap<string, string | undefined>,
  ledger: Ledger,
): Promise<void> {
  const { call, server } = await loginOf(world, workload, pod);
  for (const secret of world.plan.secrets) {
    const outcome: Seen = await probeVault(call, "read", secret, isRefusal).catch((failure: unknown) => {
      // Nothing at a path that may be read: a value that was not mirrored.
      if (failure instanceof OpenBaoRefusal && failure.status === 404) {
        return { allowed: false, seen: "nothing is there" };
      }
      throw failure;
    });
    const where = `in the Vault of ${pod.cluster}`;
    ledger.note(workload.name, secret, where, outcome, server.logFile);
    const isMirrored = secret.store === "aws" && secret.consumers.includes(workload.name);
    if (isMirrored && outcome.allowed && versionOf(outcome) !== versions.get(secret.key)) {
      ledger.fail(workload.name, secret, `reads the current version ${where}`, "another one", server.logFile);
    }
  }
}

/** The version that a mirrored value names. */
function versionOf({ value }: Outcome): unknown {
  const { data } = JSON.parse(value ?? "{}") as { readonly data?: Readonly<Record<string, unknown>> };
  return data?.[KV_VERSION_FIELD];
}

async function renderFiles(
  world: RehearsedWorld,
  group: ServerGroup,
  workload: WorkloadPlan,
  pod: PodPlan,
  ledger: Ledger,
): Promise<void> {
  const { server, issuer } = await loginOf(world, workload, pod);
  const root = join(group.folder, "pods", pod.cluster, workload.name);
  mkdirSync(root, { recursive: true });
  const settings = {
    root,
    vaultAddress: server.address,
    ...(server.caFile ? { caFile: server.caFile } : {}),
  };
  const begin = (container: "init" | "sidecar") => {
    const agent = injectedAgent(pod, container, settings);
    const token = issuer.token({
      namespace: namespaceLike(pod.namespace),
      serviceAccount: pod.serviceAccountName,
      audience: agent.audience,
    });
    return { agent, running: startAgent(group, server, agent, token) };
  };
  // As in a pod: the first must have ended before the other, and the application, begin.
  const init = begin("init");
  await Promise.race([init.running.ended, sleep(RENDERING_MS, undefined, { ref: false })]);
  await init.running.stop();
  const wanted = pod.files.map(({ path }) => join(root, pod.folder, path));
  const unwritten = wanted.filter((path) => !isWhole(path));
  // Users that Vault makes are each agent's own: the sidecar's replace the init container's.
  const owned = world.plan.vaults.flatMap(({ databases }) =>
    databases.flatMap(({ roles }) =>
      roles.flatMap(({ login, secret }) => (login === "dynamic" ? [secret] : [])),
    ),
  );
  const replaced = pod.files
    .filter(({ secret }) => owned.includes(secret))
    .map(({ path }) => join(root, pod.folder, path));
  const { running, missing } =
    unwritten.length > 0 || isJob(workload.controller)
      ? { running: init.running, missing: unwritten }
      : await stay(begin("sidecar"), replaced);
  for (const secret of world.plan.secrets.filter(({ consumers }) => consumers.includes(workload.name))) {
    const files = pod.files.filter((file) => file.secret === secret.key);
    const lost = files.filter((file) => missing.some((path) => path.endsWith(`/${file.path}`)));
    if (lost.length > 0) {
      const reason = lastComplaint(running.logFile);
      ledger.fail(
        workload.name,
        secret,
        `finds ${lost.map(({ path }) => path).join(", ")} in a pod of ${pod.cluster}`,
        `not rendered${reason ? `: ${reason}` : ""}`,
        running.logFile,
      );
    }
  }
}

/** Lets a sidecar log in and replace what is its own; one that ends by itself has failed. */
async function stay(
  { agent, running }: { readonly agent: InjectedAgent; readonly running: AgentProcess },
  replaced: readonly string[],
): Promise<{ readonly running: AgentProcess; readonly missing: readonly string[] }> {
  const before = new Map(replaced.map((path) => [path, readFileSync(path, "utf8")]));
  const missing = await unrendered(
    [join(agent.home, ".vault-token"), ...replaced],
    running.ended,
    (path) => isWhole(path) && readFileSync(path, "utf8") !== before.get(path),
  );
  await running.stop();
  // Without a token there is no file that anybody would keep up.
  return {
    running,
    missing: missing.some((path) => !replaced.includes(path)) ? agent.files.map(({ path }) => path) : missing,
  };
}

const isWhole = (path: string): boolean => existsSync(path) && statSync(path).size > 0;

/** Files that the agent did not write, in time or before it ended. */
async function unrendered(
  paths: readonly string[],
  ended: Promise<void>,
  isDone: (path: string) => boolean,
): Promise<readonly string[]> {
  let isOver = false;
  ended.then(() => {
    isOver = true;
  });
  for (const until = Date.now() + RENDERING_MS; Date.now() < until && !isOver; await sleep(100)) {
    if (paths.every(isDone)) return [];
  }
  return paths.filter((path) => !isDone(path));
}

/** The agent's last complaint: names of templates and keys, no value. */
function lastComplaint(logFile: string): string | undefined {
  const lines = existsSync(logFile) ? readFileSync(logFile, "utf8").split("\n") : [];
  return lines.findLast((line) => line.includes("[ERROR]") || line.includes("[WARN]"))?.slice(0, 300);
}
