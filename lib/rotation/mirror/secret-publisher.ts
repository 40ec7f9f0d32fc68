import { isDeepStrictEqual } from "node:util";
import type { MirroredSecret } from "../../contracts/function-settings";
import { KV_VERSION_FIELD } from "../../model/names";
import { labelHolder } from "../protocol/label-holder";
import { once } from "../protocol/once";
import type { Clock, ProofChecks, Publications, SecretStore } from "../protocol/ports";
import { asRotationError, RotationError } from "../protocol/rotation-error";
import { requireUsable } from "../protocol/usable-secret";
import { looksLikeProof } from "../protocol/version-proof";
import type { LedgerPage, MirrorLedger, VaultEntry } from "./mirror-ports";
import type { VaultLink } from "./vault-link";

/** Number of times that others may come in between. */
const ROUNDS = 8;
/** Longest pause before the second round; it doubles with each. All pauses together stay under 13 s. */
const PAUSE_MS = 100;

/** Ports of a publisher. */
export interface PublisherContext {
  /** Region in which this function runs: the secrets' primary one. */
  readonly region: string;
  readonly store: Pick<SecretStore, "describe" | "read">;
  readonly publications: Pick<Publications, "confirmedAt">;
  readonly proofs: ProofChecks;
  readonly ledger: MirrorLedger;
  readonly vaults: readonly VaultLink[];
  /**
   * `true` where pods read Secrets Manager, each its own region's: then every region must have a version before it is
   * confirmed.
   *
   * @default false: they read Vault
   */
  readonly readInRegions?: boolean | undefined;
  readonly clock: Clock;
  /** Takes every value before anything else is done with it. */
  readonly guard: (value: unknown) => void;
  /** Share of the longest pause, from 0 to less than 1, that a mirror takes which met another one. @default Math.random */
  readonly jitter?: (() => number) | undefined;
}

/** AWSCURRENT as it was seen. */
interface Current {
  readonly versionId: string;
  /** Regions that do not have it yet. */
  readonly replicasBehind: readonly string[];
  /** `true` when a label looks like a proof. */
  readonly hasProof: boolean;
  /**
   * Asks for the proof, which only functions that rotate can make, that it has passed its test. It is a call of KMS, which a
   * round that finds everything in its place goes without: with 10,000 secrets, a sweep would make 10,000 of them.
   */
  readonly isProved: () => Promise<boolean>;
}

/** Result for one secret. */
export interface SecretOutcome {
  readonly secret: string;
  /**
   * `published`: confirmed by this call. `already-published`: there was nothing to do. `not-verified`: nothing
   * proves that AWSCURRENT has passed its test, so nothing was copied. `empty`: there is no value. `incomplete`: some Vault or
   * region lags.
   */
  readonly result: "published" | "already-published" | "not-verified" | "empty" | "incomplete";
  /** AWSCURRENT. */
  readonly versionId?: string;
  /** Vaults that were written. */
  readonly written: readonly string[];
  /** Vaults, or regions, that lag, and why. */
  readonly lagging: Readonly<Record<string, RotationError>>;
}

/**
 * Brings one secret to every Vault and confirms it.
 *
 * A round is: read the ledger, read the Vaults, read AWSCURRENT, announce, write, settle, read AWSCURRENT again, confirm.
 * Everything rests on that order:
 *
 * - *No Vault goes back.* A write needs the ledger as it was before AWSCURRENT was read, and the Vault as it was before
 *   that, too (check-and-set). Whoever announced or wrote in between makes this round begin again; whoever did before knew
 *   no later AWSCURRENT. So the versions in a Vault follow AWSCURRENT in its order, however slow a mirror is.
 * - *A confirmation is true.* It holds only if the ledger has not changed since before the Vaults were read, and every
 *   mirror changes the ledger before it writes. What was announced even earlier and may still be under way is
 *   `unsettled`: such a Vault is written again, though it looks right, so that the other's check-and-set fails.
 * - *A confirmation ends in time.* The announcement that comes before a write withdraws it in the same step: whether a
 *   newer version is copied, or this one again after a backup was restored. The overlap clock starts anew with the
 *   confirmation after that, and only then: a sweep that finds everything in its place changes no date.
 * - *A rollback* withdraws the confirmation of the version it returns to and moves AWSCURRENT. If a slow mirror confirms
 *   that version afterwards, it is because every Vault serves it (still); if one writes the newer version meanwhile, it
 *   has announced that, and whoever is called for the rollback's label writes after it.
 *
 * Mirrors at work on one secret in step could undo each other's rounds for ever, so each pauses by chance before it
 * begins again, longer from time to time ("full jitter",
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 *
 * The second look at AWSCURRENT saves the way over the next event. It also fixes what an answer of Secrets Manager from
 * a moment ago may have done; that a confirmation is true does not hang on AWSCURRENT at all.
 */
export class SecretPublisher {
  readonly #context: PublisherContext;

  constructor(context: PublisherContext) {
    this.#context = context;
  }

  /**
   * @throws RotationError what keeps this secret from every Vault: `secret-missing`, `secret-deleted`,
   * `value-malformed`, `mirror-overtaken` …; a Vault's own fault is part of the outcome
   */
  async publish(secret: string, { path }: MirroredSecret): Promise<SecretOutcome> {
    const written = new Set<string>();
    const { clock, jitter = Math.random } = this.#context;
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round > 0) await clock.sleep(jitter() * PAUSE_MS * 2 ** (round - 1));
      const outcome = await this.#round(secret, path, written).catch(unlessOvertaken);
      if (outcome !== undefined) return outcome;
    }
    throw new RotationError("mirror-overtaken", `${secret}: others came in between ${ROUNDS} times`);
  }

  /** `undefined`: somebody came in between. */
  async #round(
    secret: string,
    path: string | undefined,
    written: Set<string>,
  ): Promise<SecretOutcome | undefined> {
    const { publications, ledger, clock } = this.#context;
    const opened = await ledger.open(secret);
    const seen = await this.#look(path);
    const current = await this.#current(secret);
    if (current === undefined) return { secret, result: "empty", written: [], lagging: {} };
    const { versionId } = current;
    const refused = {
      secret,
      result: "not-verified",
      versionId,
      written: [...written].sort(),
      lagging: {},
    } as const;
    if (!current.hasProof) return refused;
    const copied =
      path === undefined
        ? { page: opened, lagging: this.#regionsBehind(secret, current) }
        : await this.#bring(secret, path, current, seen, opened, written);
    if (copied === undefined) return refused;
    const { page, lagging } = copied;
    const outcome = { secret, versionId, written: [...written].sort(), lagging };
    if (Object.values(lagging).some(({ code }) => code === "vault-write-conflict")) return undefined;
    const confirmed = (await publications.confirmedAt(secret, versionId)) !== undefined;
    if (!confirmed && !(await current.isProved())) return refused;
    if (!confirmed && (await this.#current(secret))?.versionId !== versionId) return undefined;
    // Every region had it once; one that follows something else now has it still.
    const isInRegions = path === undefined && confirmed;
    if (Object.keys(lagging).length > 0 && !isInRegions) return { ...outcome, result: "incomplete" };
    if (confirmed) return { ...outcome, result: "already-published" };
    await ledger.confirm(secret, page, versionId, clock.now());
    return { ...outcome, result: "published" };
  }

  /** Entry of each Vault under a path, or why it does not say. Without a path nobody is asked. */
  async #look(path: string | undefined): Promise<Map<VaultLink, VaultEntry | RotationError>> {
    const { vaults, guard } = this.#context;
    if (path === undefined) return new Map();
    const looks = vaults.map(async (vault): Promise<[VaultLink, VaultEntry | RotationError]> => {
      try {
        const entry = await vault.use((session) => session.read(path));
        const { [KV_VERSION_FIELD]: _, ...value } = entry.data ?? {};
        guard(value);
        return [vault, entry];
      } catch (failure) {
        return [vault, asRotationError(failure)];
      }
    });
    return new Map(await Promise.all(looks));
  }

  #regionsBehind(secret: string, { replicasBehind }: Current): Readonly<Record<string, RotationError>> {
    if (!this.#context.readInRegions) return {};
    return Object.fromEntries(
      replicasBehind.map((region) => [
        region,
        new RotationError(
          "replica-behind",
          `${secret} in ${region} does not have what the primary region has`,
        ),
      ]),
    );
  }

  async #current(secret: string): Promise<Current | undefined> {
    const { store, region, proofs } = this.#context;
    const description = await store.describe(secret);
    requireUsable(secret, description, region);
    const versionId = labelHolder(description.labels, "AWSCURRENT");
    if (versionId === undefined) return undefined;
    const labels = description.labels.get(versionId) ?? [];
    return {
      versionId,
      replicasBehind: description.replicasBehind ?? [],
      hasProof: labels.some(looksLikeProof),
      isProved: once(() => proofs.proves(description.arn, versionId, labels)),
    };
  }

  /**
   * Writes to every Vault that can be read and does not serve the version for certain.
   *
   * @returns `undefined`: there is something to write, and nothing proves the version
   */
  async #bring(
    secret: string,
    path: string,
    { versionId, isProved }: Current,
    seen: ReadonlyMap<VaultLink, VaultEntry | RotationError>,
    page: LedgerPage,
    written: Set<string>,
  ): Promise<
    { readonly page: LedgerPage; readonly lagging: Readonly<Record<string, RotationError>> } | undefined
  > {
    const { ledger } = this.#context;
    const data = await this.#dataOf(secret, versionId);
    const lagging: Record<string, RotationError> = {};
    const due: [VaultLink, VaultEntry][] = [];
    for (const [vault, entry] of seen) {
      if (entry instanceof RotationError) lagging[vault.name] = entry;
      // Not the version alone: somebody may have changed a field beside it by hand.
      else if (page.unsettled.has(vault.name) || !isDeepStrictEqual(entry.data, data))
        due.push([vault, entry]);
    }
    if (due.length === 0) return { page, lagging };
    if (!(await isProved())) return undefined;

    const announced = await ledger.announce(
      secret,
      page,
      due.map(([vault]) => vault.name),
    );
    const settled: string[] = [];
    const writes = due.map(async ([vault, entry]) => {
      try {
        await vault.use((session) => session.write(path, data, entry.number));
        settled.push(vault.name);
      } catch (failure) {
        lagging[vault.name] = asRotationError(failure);
      }
    });
    await Promise.all(writes);
    for (const name of settled) written.add(name);
    if (settled.length > 0) await ledger.settle(secret, announced, settled.sort());
    return { page: announced, lagging };
  }

  /** Data of a version in KV: the value's fields, and the version's id beside them. */
  async #dataOf(secret: string, versionId: string): Promise<Readonly<Record<string, unknown>>> {
    const { store, guard } = this.#context;
    const text = await store.read(secret, versionId);
    if (text === undefined)
      throw new RotationError("value-missing", `version ${versionId} of ${secret} is empty`);
    guard(text);
    const value = parsed(text);
    guard(value);
    if (typeof value !== "object" || value === null || Array.isArray(value) || KV_VERSION_FIELD in value) {
      throw new RotationError(
        "value-malformed",
        `version ${versionId} of ${secret} is no JSON object without ${KV_VERSION_FIELD}`,
      );
    }
    return { ...value, [KV_VERSION_FIELD]: versionId };
  }
}

/** Another round is the answer to another mirror. */
function unlessOvertaken(failure: unknown): undefined {
  if (failure instanceof RotationError && failure.code === "mirror-overtaken") return undefined;
  throw failure;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    return undefined;
  }
}
