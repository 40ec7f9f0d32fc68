import { ServerGroup } from "../../packages/rehearsal/src/servers";
import type { Report } from "../report";
import { CallCount, type Calls } from "./call-count";
import { type RehearsedKind, rehearsedKinds } from "./rehearsed-kinds";

/** Longer than every wait of the machine. */
const LONG_SECONDS = 30 * 24 * 3_600;

/**
 * Counts what one rotation and one decommission of each kind call: the machine, targets and adapters as they are, before
 * models of Secrets Manager, DynamoDB, IAM and ElastiCache, the vendors' servers, and a real PostgreSQL and Redis.
 */
export async function rotationCalls(): Promise<Report> {
  const group = ServerGroup.open();
  try {
    const figures = [];
    for (const make of await rehearsedKinds(group)) figures.push(await callsOf(await make()));
    const cells = ({ secretsManager, dynamoDb, target }: Calls): string[] =>
      [secretsManager, dynamoDb, target].map(String);
    return {
      title: "Calls of a rotation and of the decommission after it",
      table: {
        head: [
          "KIND",
          "ROTATION: SM",
          "DYNAMODB",
          "TARGET",
          "DECOMMISSION: SM",
          "DYNAMODB",
          "TARGET",
          "TARGET'S CALLS ARE",
        ],
        rows: figures.map((row) => [
          row.kind,
          ...cells(row.rotation),
          ...cells(row.decommission),
          row.target,
        ]),
      },
      notes: [
        "A second rotation, which finds all well: its four steps, then the phase decommission. SM: Secrets Manager, admin secrets included.",
        "Without the mirror, the copies in other regions, the fingerprints of the run's record (three calls of Secrets Manager, two of KMS) and what operators call.",
      ],
      misses: [],
      binding: false,
      figures,
    };
  } finally {
    await group.stop();
  }
}

async function callsOf({ kind, target, secret, rotate, release, requests }: RehearsedKind) {
  const wait = (): void => {
    secret.confirm();
    secret.clock.advance(LONG_SECONDS);
  };
  const counted = async (work: (count: CallCount) => Promise<unknown>): Promise<Calls> => {
    const count = new CallCount();
    const before = requests?.() ?? 0;
    await work(count);
    return { ...count.counts, ...(requests ? { target: requests() - before } : {}) };
  };
  await rotate(1, new CallCount());
  wait();
  const old = secret.currentVersion ?? "";
  const rotation = await counted((count) => rotate(2, count));
  wait();
  await release?.();
  const decommission = await counted((plan) => secret.phase("decommission", old, { plan }));
  return { kind, target, rotation, decommission };
}
