import { confirmedInRegions } from "../../../lib/rotation/mirror/confirmed-in-regions";
import type { LedgerPage, MirrorLedger } from "../../../lib/rotation/mirror/mirror-ports";
import { parseDispatcherEvent } from "../../../lib/rotation/procedure/dispatcher-event";
import type { SecretDescription } from "../../../lib/rotation/protocol/ports";
import { ProofsModel } from "../models/proofs-model";

const NAME = "dev/db/app";
const ARN = `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${NAME}-a1B2c3`;

/** A secret in two regions, and the ledger of its confirmations. */
class Scene {
  readonly proofs = new ProofsModel();
  readonly confirmations = new Map<string, Date>();
  now = new Date("2026-01-01T00:00:00Z");
  description: SecretDescription = {
    name: NAME,
    arn: ARN,
    rotationEnabled: true,
    deleted: false,
    primaryRegion: "eu-central-1",
    replicasBehind: [],
    labels: new Map([["v1", ["AWSCURRENT", this.proofs.of(ARN, "v1")]]]),
  };
  #page: LedgerPage = { epoch: 0, unsettled: new Set(), confirmed: undefined };

  change(change: Partial<SecretDescription>): void {
    this.description = { ...this.description, ...change };
  }

  confirm(): Promise<void> {
    const ledger: Pick<MirrorLedger, "open" | "confirm"> = {
      open: async () => this.#page,
      confirm: async (_, { epoch, confirmed }, versionId, at) => {
        if (confirmed !== undefined) this.confirmations.delete(confirmed);
        this.#page = { epoch: epoch + 1, unsettled: new Set(), confirmed: versionId };
        this.confirmations.set(versionId, at);
      },
    };
    return confirmedInRegions({
      region: "eu-central-1",
      store: { describe: async () => this.description },
      publications: { confirmedAt: async (_, version) => this.confirmations.get(version) },
      proofs: this.proofs,
      ledger: ledger as MirrorLedger,
      clock: { now: () => this.now, sleep: async () => undefined },
    })(NAME);
  }
}

test("confirms a proved version once every region has it, and keeps the first time", async () => {
  const scene = new Scene();
  scene.change({ replicasBehind: ["eu-west-1"] });
  await expect(scene.confirm()).rejects.toMatchObject({ code: "replica-behind", retryable: true });
  expect(scene.confirmations.size).toBe(0);

  scene.change({ replicasBehind: [] });
  await scene.confirm();
  const first = new Date("2026-01-01T00:00:00Z");
  expect([...scene.confirmations]).toEqual([["v1", first]]);

  // A later change that a region still follows, such as one of a tag, takes nothing back.
  scene.now = new Date("2026-01-01T01:00:00Z");
  scene.change({ replicasBehind: ["eu-west-1"] });
  await scene.confirm();
  expect([...scene.confirmations]).toEqual([["v1", first]]);
});

test("a proof's label and a command have versions confirmed, and begin no run", () => {
  const labelled = (labelUpdated: string) =>
    parseDispatcherEvent({
      source: "aws.secretsmanager",
      "detail-type": "Secret Label Updated",
      resources: [ARN],
      detail: { name: NAME, labelUpdated, versionId: "v1" },
    });
  expect(labelled("VERIFIED.0a1b")).toEqual({ action: "confirm", secretName: NAME });
  expect(labelled("AWSCURRENT")).toEqual({ action: "label-moved", secretName: NAME, versionId: "v1" });
  expect(parseDispatcherEvent({ Confirm: true })).toEqual({ action: "confirm" });
});

test("confirms nothing that is current without a proof", async () => {
  const scene = new Scene();
  const forged = scene.proofs.of(ARN, "another");
  for (const labels of [["AWSCURRENT"], ["AWSCURRENT", forged]]) {
    scene.change({ labels: new Map([["v1", labels]]) });
    await scene.confirm();
    expect(scene.confirmations.size).toBe(0);
  }
});

test("holds one confirmation: of the version that is current", async () => {
  const scene = new Scene();
  await scene.confirm();
  scene.change({
    labels: new Map([
      ["v1", ["AWSPREVIOUS"]],
      ["v2", ["AWSCURRENT", scene.proofs.of(ARN, "v2")]],
    ]),
  });
  scene.now = new Date("2026-01-02T00:00:00Z");
  await scene.confirm();
  expect([...scene.confirmations]).toEqual([["v2", scene.now]]);
});
