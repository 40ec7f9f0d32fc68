import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:net";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { STSClient } from "@aws-sdk/client-sts";
import { Client } from "pg";
import type {
  MirroredConnection,
  MirroredVault,
  MirrorSettings,
} from "../../../lib/contracts/function-settings";
import { jsonLog } from "../../../lib/lambda/json-log";
import { KV_VERSION_FIELD } from "../../../lib/model/names";
import { DynamoDbMirrorLedger } from "../../../lib/rotation/adapters/dynamodb-mirror-ledger";
import { DynamoDbPublications } from "../../../lib/rotation/adapters/dynamodb-publications";
import { FederatedIdentity } from "../../../lib/rotation/adapters/federated-identity";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { systemClock } from "../../../lib/rotation/adapters/system";
import { VaultApi } from "../../../lib/rotation/adapters/vault-api";
import { mirrorHandlerOf } from "../../../lib/rotation/entries/mirror-handler";
import { parseMirrorSettings } from "../../../lib/rotation/entries/mirror-settings";
import { Redaction } from "../../../lib/rotation/protocol/redaction";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { createSecretTable } from "../../../packages/rehearsal/src/load";
import {
  type EmbeddedAws,
  type OpenBao,
  type Postgres,
  ServerGroup,
  startEmbeddedAws,
  startOpenBao,
  startPostgres,
} from "../../../packages/rehearsal/src/servers";
import { AwsTokenIssuer } from "../models/aws-token-issuer";
import { crashEverywhere } from "../models/crash-everywhere";
import { Crash, CrashPlan } from "../models/crash-plan";
import { ProofsModel } from "../models/proofs-model";
import { TestClock, versionId } from "../models/rehearsed-secret";
import { SecretsManagerModel } from "../models/secrets-manager-model";

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const TABLE = "acme-test-secret-publications";
const AUDIENCE = "vault-mirror-test";
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/acme/test/acme-test--mirror`;
const AUTH = "aws-test";
const KV = "kv-test";
const DATABASE = "database-test";

let group: ServerGroup;
let aws: EmbeddedAws;
let postgres: Postgres;
let dynamoDb: DynamoDBClient;
let bao: Record<"eu" | "us", OpenBao>;
const issuer = new AwsTokenIssuer();

/** Makes in a Vault what Terraform makes for the mirror. */
async function prepare(vault: OpenBao): Promise<void> {
  const put = (path: string, body: object) => vault.call("POST", path, { body });
  await put(`sys/mounts/${KV}`, { type: "kv", options: { version: "2" } });
  await put(`${KV}/config`, { max_versions: 2, cas_required: true });
  await put(`sys/auth/${AUTH}`, { type: "jwt" });
  await put(`auth/${AUTH}/config`, {
    jwt_validation_pubkeys: [issuer.publicKeyPem],
    jwt_supported_algs: ["ES384"],
    bound_issuer: issuer.issuer,
  });
}

/** The mirror's policy and role: exactly these paths. */
async function permit(vault: OpenBao, name: string, paths: readonly string[], roots: readonly string[] = []) {
  const rule = (path: string, capabilities: readonly string[]) =>
    `path ${JSON.stringify(path)} { capabilities = ${JSON.stringify(capabilities)} }\n`;
  const policy = [
    ...paths.map((path) => rule(`${KV}/data/${path}`, ["create", "read", "update"])),
    ...roots.map((path) => rule(path, ["update"])),
  ].join("");
  await vault.call("PUT", `sys/policies/acl/${name}`, { body: { policy } });
  await vault.call("POST", `auth/${AUTH}/role/${name}`, {
    body: {
      role_type: "jwt",
      user_claim: "sub",
      bound_audiences: [AUDIENCE],
      bound_subject: ROLE_ARN,
      token_policies: [name],
      token_no_default_policy: true,
      token_ttl: 900,
    },
  });
}

beforeAll(async () => {
  group = ServerGroup.open();
  const [embedded, eu, us, database] = await Promise.all([
    startEmbeddedAws({ group }),
    startOpenBao({ group }),
    startOpenBao({ group }),
    startPostgres({ group }),
  ]);
  [aws, postgres, bao] = [embedded, database, { eu, us }];
  await Promise.all([prepare(eu), prepare(us)]);
  dynamoDb = new DynamoDBClient({
    region: REGION,
    endpoint: aws.endpoint,
    credentials: aws.rootCredentials(ACCOUNT),
  });
  await createSecretTable(dynamoDb, TABLE, "version");
}, 300_000);

afterAll(async () => {
  dynamoDb?.destroy();
  await group?.stop();
});

let written = "";
let spies: jest.SpyInstance[] = [];

beforeEach(() => {
  written = "";
  const take = (chunk: unknown): boolean => {
    written += String(chunk);
    return true;
  };
  spies = [jest.spyOn(process.stdout, "write"), jest.spyOn(process.stderr, "write")].map((spy) =>
    spy.mockImplementation(take),
  );
});

afterEach(() => {
  for (const spy of spies) spy.mockRestore();
});

/** Prints past the spies. */
function print(text: string): void {
  for (const spy of spies) spy.mockRestore();
  process.stdout.write(`${text}\n`);
}

const v = (n: number): string => versionId(`version ${n}`);
const generated = (): string => randomBytes(24).toString("base64url");

let scenes = 0;

interface SceneProps {
  /** Paths that the policy names; default: the scene's own. */
  readonly granted?: readonly string[];
  readonly change?: (vault: MirroredVault) => MirroredVault;
  readonly connections?: readonly MirroredConnection[];
}

/** One secret of its own in the common Vaults and table, and a mirror for it: everything real but AWS's tokens and values. */
class Scene {
  readonly #number = ++scenes;
  readonly path = `app/secret-${this.#number}`;
  readonly name = `test/${this.path}`;
  readonly role = `mirror-${this.#number}`;
  readonly secrets = new SecretsManagerModel();
  readonly proofs = new ProofsModel();
  readonly clock = new TestClock();
  readonly publications = new DynamoDbPublications(dynamoDb, TABLE);
  readonly values: string[] = [];
  settings: MirrorSettings;

  private constructor(readonly props: SceneProps) {
    const { change = (vault) => vault, connections = [] } = props;
    this.settings = parseMirrorSettings({
      environment: "test",
      region: REGION,
      publicationsTable: TABLE,
      auditKeyAlias: "alias/audit",
      vaults: (["eu", "us"] as const).map((name) =>
        change({
          name,
          address: bao[name].address,
          caPem: bao[name].caPem,
          authMount: AUTH,
          role: this.role,
          audience: AUDIENCE,
          kvMount: KV,
          connections: name === "eu" ? connections : [],
        }),
      ),
      secrets: { [this.name]: { path: this.path } },
    });
  }

  static async open(props: SceneProps = {}): Promise<Scene> {
    const scene = new Scene(props);
    const roots = (props.connections ?? []).map(({ mount, name }) => `${mount}/rotate-root/${name}`);
    for (const vault of Object.values(bao)) {
      await permit(vault, scene.role, props.granted ?? [scene.path], roots);
    }
    scene.secrets.create(scene.name);
    return scene;
  }

  /** A rotation to its end, or a value that a person puts. */
  put(version: string, { verified = true, secret = this.name } = {}): void {
    const password = generated();
    this.values.push(password);
    this.secrets.putByHand(secret, version, JSON.stringify({ username: "app_a", password, next: null }));
    if (verified) this.verify(version, secret);
  }

  verify(version: string, secret = this.name): void {
    this.proofs.prove(this.secrets, secret, version);
  }

  event(secret = this.name) {
    return {
      version: "0",
      source: "aws.secretsmanager",
      "detail-type": "Secret Label Updated",
      region: REGION,
      resources: [`arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${secret}-AbC123`],
      detail: { name: secret, labelUpdated: "AWSCURRENT", versionId: "whatever" },
    };
  }

  /** One invocation, in a process of its own. */
  async call(event: unknown, plan = new CrashPlan(0, "before")) {
    const redaction = new Redaction();
    const identity = new FederatedIdentity(issuer.clientOf(ROLE_ARN));
    const handler = mirrorHandlerOf({
      settings: this.settings,
      store: plan.wrap(new SecretsManagerStore(this.secrets.client)),
      publications: plan.wrap(this.publications),
      proofs: plan.wrap(this.proofs),
      ledger: plan.wrap(new DynamoDbMirrorLedger(dynamoDb, TABLE)),
      server: plan.wrap(new VaultApi(plan.wrap(identity), redaction.guard)),
      // Mirrors in each other's way wait for real.
      clock: { ...systemClock, now: () => this.clock.now() },
      log: jsonLog("test", {}, redaction.redact),
      redaction,
    });
    try {
      return await handler(event);
    } finally {
      await plan.closeSessions();
    }
  }

  /** The call's fault; it has to fail. */
  async refused(event: unknown): Promise<RotationError> {
    const failure: unknown = await this.call(event).then(
      () => undefined,
      (fault: unknown) => fault,
    );
    expect(failure).toBeInstanceOf(RotationError);
    return failure as RotationError;
  }

  /** Version that a Vault serves, checked for being that version's value. */
  async serves(vault: OpenBao): Promise<string | undefined> {
    const answer = await vault.call("GET", `${KV}/data/${this.path}`).catch(() => undefined);
    const data = answer?.data?.data as Record<string, unknown> | undefined;
    const version = data?.[KV_VERSION_FIELD];
    if (data === undefined || typeof version !== "string") return undefined;
    const value = JSON.parse(this.secrets.valueOf(this.name, version) ?? "{}");
    expect(data).toEqual({ ...value, [KV_VERSION_FIELD]: version });
    return version;
  }

  async served(): Promise<readonly (string | undefined)[]> {
    return Promise.all([this.serves(bao.eu), this.serves(bao.us)]);
  }

  confirmedAt(version: string): Promise<Date | undefined> {
    return this.publications.confirmedAt(this.name, version);
  }
}

const SWEEP = { Sweep: true };

describe("a secret", () => {
  test("is copied on its label event, into every Vault, and confirmed", async () => {
    const scene = await Scene.open();
    scene.put(v(1));
    expect(await scene.call(scene.event())).toMatchObject({
      secrets: [{ secret: scene.name, result: "published", versionId: v(1), written: ["eu", "us"] }],
    });
    expect(await scene.served()).toEqual([v(1), v(1)]);
    expect(await scene.confirmedAt(v(1))).toEqual(scene.clock.now());

    scene.clock.advance(60);
    scene.put(v(2));
    await scene.call(scene.event());
    expect(await scene.served()).toEqual([v(2), v(2)]);
    expect(await scene.confirmedAt(v(1))).toBeUndefined();
    expect(await scene.confirmedAt(v(2))).toEqual(scene.clock.now());
    const previous = await bao.eu.call("GET", `${KV}/data/${scene.path}?version=1`);
    expect(previous.data?.data).toMatchObject({ [KV_VERSION_FIELD]: v(1) });
  });

  test("that is in its place is not written again, and its date stays", async () => {
    const scene = await Scene.open();
    scene.put(v(1));
    await scene.call(scene.event());
    const since = await scene.confirmedAt(v(1));
    scene.clock.advance(3_600);
    expect(await scene.call(SWEEP)).toMatchObject({
      secrets: [{ result: "already-published", written: [] }],
    });
    expect(await scene.confirmedAt(v(1))).toEqual(since);
    const { data } = await bao.eu.call("GET", `${KV}/data/${scene.path}`);
    expect(data).toMatchObject({ metadata: { version: 1 } });
  });

  test("is not copied before it has passed its test, and copied when that is said", async () => {
    const scene = await Scene.open();
    scene.put(v(1));
    await scene.call(scene.event());
    scene.put(v(2), { verified: false });
    expect(await scene.call(scene.event())).toMatchObject({
      secrets: [{ result: "not-verified", versionId: v(2), written: [] }],
    });
    expect(written).toContain("nothing proves that AWSCURRENT has passed its test");
    expect(await scene.served()).toEqual([v(1), v(1)]);
    expect(await scene.confirmedAt(v(2))).toBeUndefined();
    scene.verify(v(2));
    await scene.call(scene.event());
    expect(await scene.served()).toEqual([v(2), v(2)]);
  });

  test.each<[string, (scene: Scene) => string]>([
    ["the word alone", () => "VERIFIED"],
    ["the form alone", () => `VERIFIED.${"0".repeat(64)}`],
    ["another version's proof", (scene) => scene.proofs.of(scene.secrets.arnOf(scene.name), v(1))],
    ["another secret's proof", (scene) => scene.proofs.of(scene.secrets.arnOf("test/other"), v(2))],
  ])("is not copied by a label that proves nothing: %s", async (_, labelOf) => {
    const scene = await Scene.open();
    scene.put(v(1));
    await scene.call(scene.event());
    scene.put(v(2), { verified: false });
    scene.secrets.label(scene.name, labelOf(scene), v(2));
    for (const event of [scene.event(), SWEEP]) {
      expect(await scene.call(event)).toMatchObject({
        secrets: [{ result: "not-verified", versionId: v(2), written: [] }],
      });
    }
    expect(await scene.served()).toEqual([v(1), v(1)]);
    expect(await scene.confirmedAt(v(2))).toBeUndefined();
  });

  test("that is in its place costs no call of KMS", async () => {
    const scene = await Scene.open();
    scene.put(v(1));
    await scene.call(scene.event());
    expect(scene.proofs.checks).toBe(1);
    await scene.call(SWEEP);
    expect(scene.proofs.checks).toBe(1);
  });

  test("without a value is no failure", async () => {
    const scene = await Scene.open();
    expect(await scene.call(SWEEP)).toMatchObject({ secrets: [{ result: "empty" }] });
  });

  test("goes back with a rollback, and its clock starts anew", async () => {
    const scene = await Scene.open();
    scene.put(v(1));
    await scene.call(scene.event());
    scene.put(v(2));
    await scene.call(scene.event());
    scene.clock.advance(3_600);
    await scene.publications.withdraw(scene.name, v(1));
    scene.verify(v(1));
    scene.secrets.label(scene.name, "AWSCURRENT", v(1));
    await scene.call(scene.event());
    expect(await scene.served()).toEqual([v(1), v(1)]);
    expect(await scene.confirmedAt(v(1))).toEqual(scene.clock.now());
    expect(await scene.confirmedAt(v(2))).toBeUndefined();
  });

  test.each<[string, (vault: OpenBao, path: string) => Promise<unknown>]>([
    [
      "changed by hand under the same version id",
      async (vault, path) => {
        const { data } = await vault.call("GET", `${KV}/data/${path}`);
        const changed = { ...(data?.data as object), password: generated() };
        await vault.call("POST", `${KV}/data/${path}`, { body: { data: changed, options: { cas: 1 } } });
      },
    ],
    ["deleted", (vault, path) => vault.call("DELETE", `${KV}/data/${path}`)],
    ["removed with all its versions", (vault, path) => vault.call("DELETE", `${KV}/metadata/${path}`)],
  ])("%s in a Vault is put right, and the clock starts anew", async (_what, change) => {
    const scene = await Scene.open();
    scene.put(v(1));
    await scene.call(scene.event());
    await change(bao.us, scene.path);
    scene.clock.advance(3_600);
    expect(await scene.call(SWEEP)).toMatchObject({ secrets: [{ result: "published", written: ["us"] }] });
    expect(await scene.served()).toEqual([v(1), v(1)]);
    expect(await scene.confirmedAt(v(1))).toEqual(scene.clock.now());
  });

  test("that nobody reads in Vault is confirmed when it is current and verified", async () => {
    const scene = await Scene.open();
    scene.settings = { ...scene.settings, secrets: { [scene.name]: {} } };
    scene.put(v(1), { verified: false });
    await scene.call(scene.event());
    expect(await scene.confirmedAt(v(1))).toBeUndefined();
    scene.verify(v(1));
    expect(await scene.call(scene.event())).toMatchObject({
      secrets: [{ result: "published", written: [] }],
    });
    expect(await scene.confirmedAt(v(1))).toEqual(scene.clock.now());
    expect(await scene.served()).toEqual([undefined, undefined]);
  });

  test("is served by three mirrors at once, and none of them fails", async () => {
    const scene = await Scene.open();
    for (let round = 1; round <= 10; round += 1) {
      scene.put(v(round));
      const outcomes = await Promise.all([1, 2, 3].map(() => scene.call(scene.event())));
      expect(outcomes.map(({ secrets }) => secrets[0]?.result)).toContain("published");
      expect(await scene.served()).toEqual([v(round), v(round)]);
      expect(await scene.confirmedAt(v(round))).toEqual(scene.clock.now());
    }
  }, 60_000);
});

describe("a Vault that", () => {
  test("is sealed holds up nobody, is named, and is served by the sweep after it was unsealed", async () => {
    const scene = await Scene.open();
    scene.put(v(1));
    await scene.call(scene.event());
    scene.put(v(2));
    await bao.us.seal();
    try {
      expect(await scene.refused(scene.event())).toMatchObject({
        code: "mirror-incomplete",
        retryable: true,
        message: expect.stringContaining(`${scene.name} at us: vault-sealed`),
      });
      expect(await scene.serves(bao.eu)).toBe(v(2));
      expect(await scene.confirmedAt(v(1))).toBeUndefined();
      expect(await scene.confirmedAt(v(2))).toBeUndefined();
      const { data } = await bao.eu.call("GET", `${KV}/data/${scene.path}`);
      await scene.refused(SWEEP);
      // Waiting for the other one, the Vault that has the value keeps the version before it.
      expect(await bao.eu.call("GET", `${KV}/data/${scene.path}`)).toMatchObject({ data });
    } finally {
      await bao.us.unseal();
    }
    scene.clock.advance(600);
    expect(await scene.call(SWEEP)).toMatchObject({ secrets: [{ result: "published", written: ["us"] }] });
    expect(await scene.served()).toEqual([v(2), v(2)]);
    expect(await scene.confirmedAt(v(2))).toEqual(scene.clock.now());
  });

  test("went away and came back with nothing is filled again", async () => {
    const scene = await Scene.open();
    const lost = await startOpenBao({ group });
    await prepare(lost);
    await permit(lost, scene.role, [scene.path]);
    const replace = ({ address, caPem }: OpenBao): void => {
      const [eu, us] = scene.settings.vaults;
      if (eu && us) scene.settings = { ...scene.settings, vaults: [eu, { ...us, address, caPem }] };
    };
    replace(lost);
    scene.put(v(1));
    await scene.call(scene.event());
    expect(await scene.serves(lost)).toBe(v(1));
    await lost.stop();
    scene.put(v(2));
    expect((await scene.refused(scene.event())).message).toContain("at us: target-unreachable");
    expect(await scene.serves(bao.eu)).toBe(v(2));

    const fresh = await startOpenBao({ group });
    await prepare(fresh);
    await permit(fresh, scene.role, [scene.path]);
    replace(fresh);
    await scene.call(SWEEP);
    expect(await scene.serves(fresh)).toBe(v(2));
    expect(await scene.confirmedAt(v(2))).toEqual(scene.clock.now());
    await fresh.stop();
  }, 60_000);

  test("takes the connection and never answers costs one timeout, not one for each secret", async () => {
    const open = new Set<{ destroy(): void }>();
    let connections = 0;
    const mute: Server = createServer((socket) => {
      connections += 1;
      open.add(socket);
    });
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const { port } = mute.address() as { port: number };
    const scene = await Scene.open({
      change: (vault) => (vault.name === "us" ? { ...vault, address: `https://127.0.0.1:${port}` } : vault),
    });
    const second = `${scene.name}-b`;
    scene.settings = {
      ...scene.settings,
      secrets: { ...scene.settings.secrets, [second]: { path: scene.path } },
    };
    scene.secrets.create(second);
    scene.put(v(1));
    const fault = await scene.refused(SWEEP);
    expect(fault.message).toContain(`${scene.name} at us: target-unreachable`);
    expect(await scene.serves(bao.eu)).toBe(v(1));
    expect(connections).toBe(1);
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => mute.close(resolve));
  }, 60_000);

  test.each<[string, string, SceneProps]>([
    ["has a policy without the path", "vault-path-refused", { granted: ["app/other"] }],
    ["knows no such role", "vault-login-refused", { change: (vault) => ({ ...vault, role: "nobody" }) }],
    [
      "has no such auth mount",
      "vault-login-refused",
      { change: (vault) => ({ ...vault, authMount: "aws-x" }) },
    ],
    ["has no such KV mount", "vault-path-refused", { change: (vault) => ({ ...vault, kvMount: "kv-x" }) }],
    [
      "shows a certificate of somebody else",
      "target-not-trusted",
      { change: (vault) => ({ ...vault, caPem: postgres.caPem }) },
    ],
    [
      "is known by an address that is not in its certificate",
      "target-not-trusted",
      { change: (vault) => ({ ...vault, address: vault.address.replace("127.0.0.1", "0.0.0.0") }) },
    ],
    [
      "is no Vault",
      "target-without-tls",
      { change: (vault) => ({ ...vault, address: aws.endpoint.replace("http:", "https:") }) },
    ],
  ])("%s: %s", async (_what, code, props) => {
    const scene = await Scene.open(props);
    scene.put(v(1));
    const fault = await scene.refused(scene.event());
    expect(fault.message).toContain(`${scene.name} at eu: ${code}`);
    expect(written).toContain(`"code":"${code}"`);
    expect(await scene.confirmedAt(v(1))).toBeUndefined();
  });

  test("is asked with a token of another role or audience lets nobody in", async () => {
    const scene = await Scene.open();
    scene.put(v(1));
    for (const [arn, audience] of [
      [`${ROLE_ARN}-other`, AUDIENCE],
      [ROLE_ARN, "vault-test"],
    ] as const) {
      const server = new VaultApi(new FederatedIdentity(issuer.clientOf(arn)), () => undefined);
      const [vault] = scene.settings.vaults;
      if (vault === undefined) throw new Error("no Vault");
      await expect(server.open({ ...vault, audience })).rejects.toMatchObject({
        code: "vault-login-refused",
      });
    }
  });

  test("lets the mirror end its token is left without it", async () => {
    const scene = await Scene.open();
    await permit(bao.eu, scene.role, [scene.path], ["auth/token/revoke-self"]);
    const guarded: unknown[] = [];
    const server = new VaultApi(new FederatedIdentity(issuer.clientOf(ROLE_ARN)), (value) =>
      guarded.push(value),
    );
    const [vault] = scene.settings.vaults;
    if (vault === undefined) throw new Error("no Vault");
    const session = await server.open(vault);
    const token = String(guarded.at(-1));
    const lookup = () => bao.eu.call("POST", "auth/token/lookup", { body: { token } });
    expect(await lookup()).toMatchObject({ data: { policies: [scene.role] } });
    await session.close();
    await expect(lookup()).rejects.toThrow();
  });

  test("has namespaces is asked in the one that is named", async () => {
    const namespace = "team";
    await bao.eu.call("POST", `sys/namespaces/${namespace}`);
    const inside: OpenBao = { ...bao.eu, call: (m, p, c) => bao.eu.call(m, p, { ...c, namespace }) };
    await prepare(inside);
    const scene = await Scene.open({
      change: (vault) => (vault.name === "eu" ? { ...vault, namespace } : vault),
    });
    await permit(inside, scene.role, [scene.path]);
    scene.put(v(1));
    await scene.call(scene.event());
    expect(await scene.serves(inside)).toBe(v(1));
    expect(await scene.serves(bao.eu)).toBeUndefined();
  });
});

describe("what fails for one secret", () => {
  test("does not keep a sweep from the others", async () => {
    const scene = await Scene.open();
    const broken = `${scene.name}-broken`;
    scene.settings = {
      ...scene.settings,
      secrets: {
        "test/app/missing": { path: "app/missing" },
        [broken]: { path: scene.path },
        ...scene.settings.secrets,
      },
    };
    scene.secrets.create(broken);
    const canary = generated();
    scene.secrets.putByHand(broken, v(9), `no JSON ${canary}`);
    scene.verify(v(9), broken);
    scene.put(v(1));
    const fault = await scene.refused(SWEEP);
    expect(fault.message).toContain("test/app/missing: secret-missing");
    expect(fault.message).toContain(`${broken}: value-malformed`);
    expect(`${fault.message}${written}`).not.toContain(canary);
    expect(await scene.served()).toEqual([v(1), v(1)]);
    expect(await scene.confirmedAt(v(1))).toBeDefined();
  });

  test.each<[string, string, (scene: Scene) => unknown]>([
    ["an event that is none", "event-malformed", () => ({ Step: "createSecret" })],
    ["a sweep of another form", "event-malformed", () => ({ Sweep: "yes" })],
    [
      "an event of another kind",
      "event-malformed",
      (scene) => ({ ...scene.event(), "detail-type": "Other" }),
    ],
    ["a secret that is not the mirror's", "secret-not-ours", (scene) => scene.event("test/app/foreign")],
    [
      "a replica",
      "replica-region",
      (scene) => {
        scene.secrets.set(scene.name, { primaryRegion: "us-east-1" });
        return scene.event();
      },
    ],
    [
      "a secret scheduled for deletion",
      "secret-deleted",
      (scene) => {
        scene.secrets.set(scene.name, { deleted: true });
        return scene.event();
      },
    ],
    [
      "a value that has the mirror's own field",
      "value-malformed",
      (scene) => {
        scene.secrets.putByHand(scene.name, v(1), JSON.stringify({ [KV_VERSION_FIELD]: "x" }));
        scene.verify(v(1));
        return scene.event();
      },
    ],
  ])("%s: %s", async (_what, code, event) => {
    const scene = await Scene.open();
    expect(await scene.refused(event(scene))).toMatchObject({ code });
  });
});

describe("root credentials", () => {
  const CONNECTION = { mount: DATABASE, name: "app", rotateEverySeconds: 86_400 };
  const login = async (user: string, password: string): Promise<boolean> => {
    const client = new Client({ ...postgres.superuser, user, password });
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  };

  test("are rotated by the first sweep and then on their cadence", async () => {
    const password = generated();
    const admin = new Client(postgres.superuser);
    await admin.connect();
    await admin.query(`CREATE ROLE vault_root LOGIN CREATEROLE PASSWORD '${password}'`);
    await admin.end();
    await bao.eu.call("POST", `sys/mounts/${DATABASE}`, { body: { type: "database" } });
    const url = `postgresql://{{username}}:{{password}}@127.0.0.1:${postgres.port}/postgres`;
    await bao.eu.call("POST", `${DATABASE}/config/${CONNECTION.name}`, {
      body: {
        plugin_name: "postgresql-database-plugin",
        allowed_roles: [],
        connection_url: `${url}?sslmode=verify-full&sslrootcert=${postgres.caFile}`,
        username: "vault_root",
        password,
        password_authentication: "scram-sha-256",
      },
    });
    const scene = await Scene.open({ connections: [CONNECTION] });
    expect(await login("vault_root", password)).toBe(true);
    expect(await scene.call(SWEEP)).toMatchObject({ rotated: [`eu/${DATABASE}/app`] });
    expect(await login("vault_root", password)).toBe(false);

    scene.clock.advance(CONNECTION.rotateEverySeconds - 1);
    expect(await scene.call(SWEEP)).toMatchObject({ rotated: [] });
    expect(await scene.call(scene.event()).catch(() => ({ rotated: [] }))).toMatchObject({ rotated: [] });
    scene.clock.advance(1);
    expect(await scene.call(SWEEP)).toMatchObject({ rotated: [`eu/${DATABASE}/app`] });
    expect(written).not.toContain(password);
  }, 60_000);

  test("that the policy does not name are refused with a code, and secrets are served all the same", async () => {
    const connection = { ...CONNECTION, name: "other" };
    const scene = await Scene.open({ connections: [connection] });
    await permit(bao.eu, scene.role, [scene.path]);
    scene.put(v(1));
    const fault = await scene.refused(SWEEP);
    expect(fault.message).toContain(`eu/${DATABASE}/other: vault-path-refused`);
    expect(await scene.confirmedAt(v(1))).toBeDefined();
  });
});

describe("crashes", () => {
  /** A mirror whose process died swallows that; what counts is that it did. */
  const mortal = async (scene: Scene, event: unknown, plan?: CrashPlan): Promise<unknown> => {
    const answer = scene.call(event, plan).catch((failure: unknown) => failure);
    await answer;
    if (plan !== undefined && plan.calls >= plan.at) throw new Crash("died");
    const failure = await answer;
    if (failure instanceof Error) throw failure;
    return failure;
  };

  /** Law: what is confirmed is served by every Vault. */
  const checkTruth = async (scene: Scene): Promise<void> => {
    for (const version of [v(1), v(2)]) {
      if ((await scene.confirmedAt(version)) === undefined) continue;
      expect(await scene.served()).toEqual([version, version]);
    }
  };

  test.each<[string, (scene: Scene) => Promise<void>]>([
    ["a new version", async (scene) => scene.put(v(2))],
    [
      "a Vault that was changed by hand",
      async (scene) => {
        await bao.us.call("DELETE", `${KV}/data/${scene.path}`);
      },
    ],
  ])(
    "at every call, with %s: it converges, and no confirmation is untrue",
    async (what, change) => {
      const points = await crashEverywhere(async () => {
        const scene = await Scene.open();
        scene.put(v(1));
        await scene.call(scene.event());
        await change(scene);
        scene.clock.advance(3_600);
        return {
          work: (plan) => mortal(scene, scene.event(), plan),
          afterCrash: async () => {
            if (what === "a new version") await checkTruth(scene);
          },
          afterAll: async () => {
            const current = scene.secrets.versionWith(scene.name, "AWSCURRENT") ?? "";
            expect(await scene.served()).toEqual([current, current]);
            expect(await scene.confirmedAt(current)).toEqual(scene.clock.now());
          },
        };
      });
      expect(points).toBeGreaterThan(20);
      print(`mirror, ${what}: ${points} crash points`);
    },
    120_000,
  );
});

describe("what leaves the function", () => {
  test("holds no value and no token, whatever goes wrong", async () => {
    const scene = await Scene.open();
    scene.put(v(1));
    await scene.call(scene.event());
    scene.put(v(2));
    await bao.us.seal();
    const faults = [await scene.refused(scene.event()), await scene.refused(SWEEP)];
    await bao.us.unseal();
    await permit(bao.us, scene.role, ["app/other"]);
    faults.push(await scene.refused(SWEEP));
    await permit(bao.us, scene.role, [scene.path]);
    await scene.call(SWEEP);
    const shown = `${written}${faults.map((fault) => `${JSON.stringify(fault)}${fault.stack}`).join()}`;
    expect(shown).toContain("vault-path-refused");
    expect(shown).toContain(v(2));
    expect(scene.values).toHaveLength(2);
    for (const canary of [...scene.values, ...issuer.given]) expect(shown).not.toContain(canary);
    for (const fault of faults) expect(fault).not.toHaveProperty("cause");
  });
});

describe("adapters", () => {
  test("ask AWS's own call for a token in the form that it wants", async () => {
    const sts = new STSClient({
      region: REGION,
      endpoint: aws.endpoint,
      credentials: aws.rootCredentials(ACCOUNT),
    });
    const [, claims = ""] = (await new FederatedIdentity(sts).token(AUDIENCE)).split(".");
    const { aud, iat, exp } = JSON.parse(Buffer.from(claims, "base64url").toString());
    expect({ aud, life: exp - iat }).toEqual({ aud: AUDIENCE, life: 60 });
    sts.destroy();
  });

  test.each([
    ["OutboundWebIdentityFederationDisabledException", "target-misconfigured"],
    ["AccessDenied", "access-denied"],
    ["Throttling", "throttled"],
    ["InternalFailure", "unexpected"],
  ])("STS says %s: %s", async (name, code) => {
    const send = async () => {
      throw Object.assign(new Error("canary"), { name });
    };
    await expect(
      new FederatedIdentity({ send } as unknown as STSClient).token(AUDIENCE),
    ).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining("canary"),
    });
  });

  test("the ledger refuses every change of a page that has changed", async () => {
    const ledger = new DynamoDbMirrorLedger(dynamoDb, TABLE);
    const publications = new DynamoDbPublications(dynamoDb, TABLE);
    const name = "test/app/ledger";
    const fresh = await ledger.open(name);
    expect(fresh).toEqual({ epoch: 0, unsettled: new Set(), confirmed: undefined });
    const announced = await ledger.announce(name, fresh, ["eu", "us"]);
    expect(await ledger.open(name)).toEqual(announced);
    await ledger.settle(name, announced, ["eu"]);
    expect((await ledger.open(name)).unsettled).toEqual(new Set(["us"]));
    await ledger.confirm(name, announced, v(1), new Date(0));
    expect(await publications.confirmedAt(name, v(1))).toEqual(new Date(0));
    const confirmed = await ledger.open(name);
    expect(confirmed).toMatchObject({ epoch: 2, confirmed: v(1) });
    for (const page of [fresh, announced]) {
      const overtaken = { code: "mirror-overtaken", retryable: true };
      await expect(ledger.announce(name, page, ["eu"])).rejects.toMatchObject(overtaken);
      await expect(ledger.settle(name, page, ["eu"])).rejects.toMatchObject(overtaken);
      await expect(ledger.confirm(name, page, v(2), new Date())).rejects.toMatchObject(overtaken);
    }
    expect(await publications.confirmedAt(name, v(2))).toBeUndefined();
    await ledger.announce(name, confirmed, ["eu"]);
    expect(await publications.confirmedAt(name, v(1))).toBeUndefined();
  });
});
