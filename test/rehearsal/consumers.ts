import { createHmac, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { GetSecretValueCommand, ResourceNotFoundException } from "@aws-sdk/client-secrets-manager";
import type { AwsSecretPlan } from "../../lib/blueprint";
import { KV_VERSION_FIELD } from "../../lib/model/names";
import { STS_AUDIENCE } from "../../lib/model/trust-policy";
import { splitSettings } from "../../lib/rotation/protocol/settings-in-effect";
import { type HmacValue, signHmac, verifyHmac } from "../../lib/rotation/targets/hmac-key";
import type { JwtValue } from "../../lib/rotation/targets/jwt-signing-key";
import type { KindValue } from "../../lib/rotation/values/value-schemas";
import { secretsManager, takeWorkloadRole } from "../../packages/rehearsal/src/load";
import { type OpenBao, OpenBaoRefusal } from "../../packages/rehearsal/src/servers";
import type { LoginResult } from "../../packages/rehearsal/src/targets";
import { SHORTENED } from "../../packages/rehearsal/src/world/relocated-settings";
import type { RehearsedRotations } from "./rehearsed-rotations";

/** Rotations of an environment, as far as consumers need to know of them. */
type ConsumedRotations = Pick<RehearsedRotations, "world" | "rotated" | "values" | "secret">;

/** Between two looks into Vault, and between two attempts. */
const POLL_MS = 200;
const ATTEMPT_MS = 60;

/** Experience of a secret's consumers. */
export interface Experience {
  readonly key: string;
  /** Log-ins, or tokens and signatures that one pod checked of another. */
  attempts: number;
  /** Refusals to somebody who could hold nothing else. */
  readonly refused: string[];
  /** Versions that Vault served, or Secrets Manager where there is no Vault. */
  readonly versions: Set<string>;
}

interface Held {
  readonly version: string;
  readonly value: unknown;
  /** Time at which the last read began that gave it: whoever refreshed then may hold it for the refresh interval and the margin. */
  lastRead: number;
}

/** Result of one look; `sealed`: Vault cannot be asked. */
type Read = Pick<Held, "version" | "value"> | "sealed" | undefined;

/** Use of a value among own workloads. */
interface Peers {
  readonly sign: (value: unknown) => Promise<string>;
  readonly verify: (value: unknown, token: string) => Promise<boolean>;
  /** Milliseconds in which a token may come to be verified. */
  readonly lifetime: number;
}

/**
 * The consumers of an environment's secrets, as pods: each refresh reads Vault under a workload's own identity, and a pod
 * goes on with what it has until the next, which comes the refresh interval later, and takes the reload margin. So at
 * every moment some pod holds each value that Vault gave within that time, and the oldest and the newest of them are
 * tried all the time.
 */
export class Consumers {
  readonly experiences: ReadonlyMap<string, Experience>;
  readonly #rotations: ConsumedRotations;
  readonly #held = new Map<string, Held[]>();
  readonly #holdMs: number;
  #running: Promise<unknown> | undefined;
  #isStopped = false;

  /** @param keys secrets that are consumed. Default: all that have a consumer */
  constructor(rotations: ConsumedRotations, keys?: readonly string[]) {
    this.#rotations = rotations;
    const { refreshEvery, reloadMargin } = rotations.world.plan;
    this.#holdMs = this.#milliseconds(refreshEvery.seconds + reloadMargin.seconds);
    this.experiences = new Map(
      rotations.rotated
        .filter(({ key, consumers }) => consumers.length > 0 && (keys?.includes(key) ?? true))
        .map(({ key }) => [key, { key, attempts: 0, refused: [], versions: new Set<string>() }]),
    );
  }

  start(): void {
    this.#running = Promise.all(
      [...this.experiences.values()].map(async (experience) => {
        const secret = this.#rotations.secret(experience.key);
        await Promise.all([this.#refresh(secret, experience), this.#work(secret, experience)]);
      }),
    );
    this.#running.catch(() => undefined);
  }

  /** @throws whatever kept the consumers from trying */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** Attempts of all, and what was refused. */
  get total(): { readonly attempts: number; readonly refused: readonly string[] } {
    const all = [...this.experiences.values()];
    return {
      attempts: all.reduce((sum, { attempts }) => sum + attempts, 0),
      refused: all.flatMap(({ refused }) => refused),
    };
  }

  #milliseconds(seconds: number): number {
    return (seconds / SHORTENED) * 1_000;
  }

  async #refresh(secret: AwsSecretPlan, { versions }: Experience): Promise<void> {
    const { key, consumers } = secret;
    const held: Held[] = [];
    this.#held.set(key, held);
    const look = await this.#readerOf(secret, consumers[0] ?? "");
    while (!this.#isStopped) {
      const began = Date.now();
      const read = await look();
      const newest = held.at(-1);
      if (read === "sealed") {
        // Nobody refreshes now, so everybody keeps what is newest.
        if (newest) newest.lastRead = began;
      } else if (read && read.version === newest?.version) newest.lastRead = began;
      else if (read) {
        held.push({ ...read, lastRead: began });
        versions.add(read.version);
        this.#rotations.values.push(read.value);
      }
      await sleep(POLL_MS);
    }
  }

  /** Reader of a pod: from its Vault, or from Secrets Manager in the region that is last to have anything. */
  async #readerOf({ name, vaultPath }: AwsSecretPlan, workload: string): Promise<() => Promise<Read>> {
    const { plan, vaults } = this.#rotations.world;
    const [vault] = plan.vaults;
    if (vault === undefined) return this.#inRegion(name, workload, plan.regions.all.at(-1) ?? "");
    const server = vaults.get(vault.name);
    if (!server) throw new Error("no Vault");
    const token = await this.#login(server, workload);
    return () => readKv(server, vaultPath, token);
  }

  async #inRegion(name: string, workload: string, region: string): Promise<() => Promise<Read>> {
    const { plan, issuers, shim } = this.#rotations.world;
    const planned = plan.workloads.find((candidate) => candidate.name === workload);
    const issuer = [...issuers.values()][0];
    if (!planned || !issuer) throw new Error(`no identity for ${workload}`);
    const token = issuer.token({ ...planned, audience: STS_AUDIENCE, audienceForm: "text" });
    const credentials = await takeWorkloadRole(shim.endpoint, plan.regions.primary, planned.role.arn, token);
    const client = secretsManager({ endpoint: shim.endpoint, credentials }, region);
    return async () => {
      try {
        const { VersionId: version = "", SecretString = "null" } = await client.send(
          new GetSecretValueCommand({ SecretId: name }),
        );
        return { version, value: splitSettings(JSON.parse(SecretString)).value };
      } catch (failure) {
        if (failure instanceof ResourceNotFoundException) return undefined;
        throw failure;
      }
    };
  }

  async #login(server: OpenBao, workload: string): Promise<string> {
    const { plan, issuers } = this.#rotations.world;
    const role = plan.vaults
      .flatMap(({ roles }) => roles)
      .find((candidate) => candidate.workload === workload);
    const issuer = [...issuers.values()][0];
    if (!role || !issuer) throw new Error(`no login for ${workload}`);
    const { namespace, serviceAccount, audience } = role;
    const jwt = issuer.token({ namespace, serviceAccount, audience });
    const { auth } = await server.call("POST", `auth/${role.mount}/login`, {
      token: null,
      body: { role: role.name, jwt },
    });
    return auth?.client_token ?? "";
  }

  #holdable(key: string, longer = 0): readonly Held[] {
    const now = Date.now();
    return (this.#held.get(key) ?? []).filter(({ lastRead }) => lastRead + this.#holdMs + longer > now);
  }

  async #work(secret: AwsSecretPlan, experience: Experience): Promise<void> {
    const peers = this.#peersOf(secret);
    const target = this.#rotations.world.targets.targets.get(secret.key);
    const tokens: { readonly text: string; readonly until: number }[] = [];
    while (!this.#isStopped) {
      if (peers) await this.#talk(secret.key, peers, tokens, experience);
      if (target?.attempt) await this.#logIn(secret.key, target.attempt, experience);
      if (target?.events) {
        for (const { payload, signature } of await target.events()) {
          for (const { value, version } of this.#holdable(secret.key)) {
            experience.attempts += 1;
            if (!signedByStripe(value as KindValue<"stripe">, payload, signature)) {
              experience.refused.push(`${secret.key}: an event, by a pod with ${version}`);
            }
          }
        }
      }
      await sleep(ATTEMPT_MS);
    }
  }

  /** The oldest and the newest value that anybody holds. */
  async #logIn(
    key: string,
    attempt: (value: unknown) => Promise<LoginResult>,
    experience: Experience,
  ): Promise<void> {
    const holdable = this.#holdable(key);
    for (const held of new Set([holdable[0], holdable.at(-1)])) {
      if (held === undefined) continue;
      const outcome = await attempt(held.value).catch((failure: unknown) => nameOf(failure));
      // One that took so long that by now every pod has refreshed proves nothing either way.
      if (outcome !== "accepted" && !this.#holdable(key).includes(held)) continue;
      experience.attempts += 1;
      if (outcome !== "accepted") experience.refused.push(`${key}: ${outcome}, with ${held.version}`);
    }
  }

  /** Every pod signs, and every pod checks whatever is still good. */
  async #talk(
    key: string,
    { sign, verify, lifetime }: Peers,
    tokens: { readonly text: string; readonly until: number }[],
    experience: Experience,
  ): Promise<void> {
    const holders = this.#holdable(key);
    const now = Date.now();
    for (const { value } of holders) tokens.push({ text: await sign(value), until: now + lifetime });
    while ((tokens[0]?.until ?? now) < now) tokens.shift();
    for (const { value, version } of holders) {
      for (const { text } of new Set([...tokens.slice(0, 1), ...tokens.slice(-2)])) {
        experience.attempts += 1;
        if (!(await verify(value, text)))
          experience.refused.push(`${key}: a token, by a pod with ${version}`);
      }
    }
  }

  #peersOf({ kind, settings }: AwsSecretPlan): Peers | undefined {
    if (kind === "jwt-signing-key") {
      const { tokenLifetime } = settings as { readonly tokenLifetime: { readonly seconds: number } };
      return { sign: signToken, verify: verifyToken, lifetime: this.#milliseconds(tokenLifetime.seconds) };
    }
    if (kind === "hmac-key") {
      const { tolerance } = settings as { readonly tolerance: { readonly seconds: number } };
      return { sign: signMessage, verify: verifyMessage, lifetime: this.#milliseconds(tolerance.seconds) };
    }
    return undefined;
  }
}

/** jose is an ES module; this is how a CommonJS one loads it. */
const loadJose = () => import("jose");

const nameOf = (failure: unknown): string => (failure instanceof Error ? failure.name : "failed");

async function readKv(server: OpenBao, path: string, token: string): Promise<Read> {
  try {
    const { data } = await server.call("GET", path, { token });
    const { [KV_VERSION_FIELD]: version, ...value } = (data?.data ?? {}) as Record<string, unknown>;
    return typeof version === "string" ? { version, value } : undefined;
  } catch (failure) {
    if (failure instanceof OpenBaoRefusal && failure.status === 503) return "sealed";
    if (failure instanceof OpenBaoRefusal && failure.status === 404) return undefined;
    throw failure;
  }
}

async function signToken(value: unknown): Promise<string> {
  const { SignJWT, importJWK } = await loadJose();
  const { current } = value as JwtValue;
  return new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: current.alg, kid: current.kid })
    .sign(await importJWK({ ...current }, current.alg));
}

async function verifyToken(value: unknown, token: string): Promise<boolean> {
  const { createLocalJWKSet, jwtVerify } = await loadJose();
  const keys = (value as JwtValue).jwks.keys.map((key) => ({ ...key }));
  return jwtVerify(token, createLocalJWKSet({ keys })).then(
    () => true,
    () => false,
  );
}

async function signMessage(value: unknown): Promise<string> {
  const message = randomUUID();
  return `${message} ${signHmac(value as HmacValue, Buffer.from(message)).signature.toString("hex")}`;
}

async function verifyMessage(value: unknown, token: string): Promise<boolean> {
  const [message = "", signature = ""] = token.split(" ");
  return verifyHmac(value as HmacValue, Buffer.from(message), Buffer.from(signature, "hex"));
}

/** https://docs.stripe.com/webhooks#verify-manually */
function signedByStripe(
  { webhookSecrets }: KindValue<"stripe">,
  payload: string,
  signature: string,
): boolean {
  const { t = "", v1 = "" } = Object.fromEntries(signature.split(",").map((part) => part.split("=")));
  return Object.values(webhookSecrets).some(
    (key) => key !== null && createHmac("sha256", key.secret).update(`${t}.${payload}`).digest("hex") === v1,
  );
}
