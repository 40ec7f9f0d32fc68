import { setTimeout as sleep } from "node:timers/promises";
import type { AwsSecretPlan } from "../../lib/blueprint";
import { AwsRotationCloud } from "../../lib/cli/cloud/aws-rotation-cloud";
import { versionLabels } from "../../lib/cli/driver/version-labels";
import type { Registry } from "../../lib/model";
import { days, defineRegistry, hours, minutes } from "../../lib/model";
import { rehearse } from "../../packages/rehearsal/src/rehearse/rehearse";
import type { RehearsalReport } from "../../packages/rehearsal/src/rehearse/report";
import { ServerGroup } from "../../packages/rehearsal/src/servers";
import type { RehearsedWorld } from "../../packages/rehearsal/src/world";
import { type Draft, draft } from "../model/sample";
import { Consumers } from "./consumers";
import { print } from "./rehearsed-rotations";

/** `plain` has Secrets Manager alone, in two regions; `bare` has no cluster either. */
function registry(): Registry {
  const sample = draft();
  const { vaults: _, clusters, awsTokenIssuer: __, ...rest } = sample.environments.dev;
  const { vault: ___, ...cluster } = clusters[0];
  const times = { refreshEvery: hours(2), reloadMargin: minutes(30) };
  const notBare = { environments: { bare: { presence: "absent" } } } as const;
  const places = (host: string): Draft => ({ settings: { host } });
  return defineRegistry({
    ...sample,
    environments: {
      plain: { ...rest, ...times, vaults: [], clusters: [cluster] },
      bare: { ...rest, ...times, vaults: [], clusters: [] },
    },
    secrets: {
      "admin/db": { ...sample.secrets["admin/db"], ...notBare },
      "crypto/webhook": sample.secrets["crypto/webhook"],
      "db/app": {
        ...sample.secrets["db/app"],
        environments: { plain: places("db.example.com"), bare: { presence: "absent" } },
      },
      "jwt/signing": {
        kind: "jwt-signing-key",
        description: "Signing key",
        owner: "team-a",
        consumers: ["backend"],
        rotateEvery: days(90),
        store: "aws",
        ...notBare,
      },
    },
  }) as unknown as Registry;
}

let group: ServerGroup;

beforeAll(() => {
  group = ServerGroup.open();
});

afterAll(() => group?.stop());

function rehearsed(
  environment: string,
  hooks: { meddle?: (world: RehearsedWorld) => Promise<void>; meddleLater?: () => Promise<void> } = {},
): Promise<{ readonly report: RehearsalReport; readonly world: RehearsedWorld }> {
  return rehearse({
    registry: registry(),
    environment,
    group,
    logFolder: group.folder,
    progress: { step: (_, work) => work(() => undefined) },
    ...hooks,
  });
}

/** A first value is current before it works, and its pods come after bootstrap; no Vault holds them back here. */
async function onceServed({ as, plan }: RehearsedWorld, secrets: readonly AwsSecretPlan[]): Promise<void> {
  const cloud = new AwsRotationCloud({ region: plan.regions.primary, ...as.root });
  const table = plan.operations?.publicationsTable ?? "";
  for (const { name } of secrets) {
    for (;;) {
      const labels = versionLabels((await cloud.describe(name)) ?? { labels: new Map() });
      const { current } = labels;
      if (current !== undefined && (await cloud.confirmedAt(table, name, current))) break;
      await sleep(50);
    }
  }
}

test("rotates without a Vault, and no consumer that reads the last region once in a refresh is refused", async () => {
  let consumers: Consumers | undefined;
  let started: Promise<void> | undefined;
  const { report, world } = await rehearsed("plain", {
    meddle: async (standing) => {
      const secrets = standing.plan.secrets.flatMap((plan) => (plan.store === "aws" ? [plan] : []));
      consumers = new Consumers({
        world: standing,
        rotated: secrets,
        values: [],
        secret: (key) => {
          const found = secrets.find((plan) => plan.key === key);
          if (found === undefined) throw new Error(`no ${key}`);
          return found;
        },
      });
      started = onceServed(standing, secrets).then(() => consumers?.start());
    },
    meddleLater: async () => {
      await started;
      await consumers?.stop();
    },
  });
  expect(report.differences).toEqual([]);
  expect(world.plan.functions.map(({ bundle }) => bundle)).not.toContain("mirror");
  for (const { key, attempts, versions, refused } of consumers?.experiences.values() ?? []) {
    print(`${key.padEnd(16)}${versions.size} versions, ${attempts} attempts, ${refused.length} refused`);
    expect({ key, refused }).toEqual({ key, refused: [] });
    expect(versions.size).toBeGreaterThan(1);
    expect(attempts).toBeGreaterThan(20);
  }
  expect(report.secrets.map(({ secret, rotated, old }) => [secret, rotated, old])).toEqual([
    ["admin/db", "supplied", "none"],
    ["crypto/webhook", "automatic", "retired"],
    ["db/app", "automatic", "refused"],
    ["jwt/signing", "automatic", "retired"],
  ]);
}, 240_000);

test("rotates where there is no cluster yet", async () => {
  const { report, world } = await rehearsed("bare");
  expect(report.differences).toEqual([]);
  expect(world.plan.workloads).toEqual([]);
  expect(report.secrets.map(({ secret, rotated }) => [secret, rotated])).toEqual([
    ["crypto/webhook", "automatic"],
  ]);
}, 240_000);
