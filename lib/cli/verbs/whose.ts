import { type Blueprint, blueprint, type SecretPlan } from "../../blueprint";
import { textMessage } from "../../contracts/secret-texts";
import {
  fingerprintedKey,
  macOf,
  readVersionFingerprints,
  type VersionFingerprints,
} from "../../contracts/version-fingerprints";
import type { Registry } from "../../model";
import { recordsBucket } from "../../model/names";
import { severalAtOnce } from "../../rotation";
import type { WhoseCloud } from "../cloud/whose-cloud";
import type { Progress } from "../driver/progress";
import { UserFault } from "../terminal/user-fault";
import { digestsOfLeaked } from "./leaked-text";

/**
 * Standing of a text among a secret's values. `current`: in use. `next`: published, in use after the next promotion.
 * `previous`: of the value before, which its target or its verifiers may still accept. `former`: no labelled version has it.
 */
export type TextStanding = "current" | "next" | "previous" | "former";

/** A secret that has, or had, the text. */
export interface WhoseMatch {
  readonly environment: string;
  readonly secret: string;
  readonly kind: string;
  /** `undefined`: the registry does not have the secret any more. */
  readonly owner?: string | undefined;
  /** Place of the text in the value: `password`, `current.key`. */
  readonly place: string;
  /** The newest version that has it. */
  readonly version: string;
  readonly standing: TextStanding;
  /** Times at which versions with it were confirmed, the first and the last one: ISO 8601. */
  readonly since: string;
  readonly last: string;
  /** Workloads that read the secret today. */
  readonly consumers: readonly string[];
  /** Work that is to be done now. */
  readonly next: string;
}

/** Answer of `whose`. It holds no text of a value. */
export interface WhoseReport {
  readonly matches: readonly WhoseMatch[];
  /** Sizes of what was looked through. */
  readonly looked: { readonly secrets: number; readonly versions: number; readonly texts: number };
  /** Secrets of the registry without a single fingerprint: `prod db/reports`. A text of theirs is not found. */
  readonly without: readonly string[];
  /** Objects that hold no fingerprints. */
  readonly unreadable: readonly string[];
}

/** Request of `whose`. */
export interface WhoseRequest {
  /** Text as it was found. Never logged, stored or sent. */
  readonly leaked: string;
  readonly environments: readonly string[];
  readonly cloudIn: (region: string, environment: string) => WhoseCloud;
  readonly progress: Progress;
}

/**
 * Secrets whose values have, or had, a text: by the fingerprints of each version's texts, which KMS is asked to verify. The text itself
 * stays here; KMS gets a digest of it.
 *
 * @throws UserFault where the text is too short to have a fingerprint
 */
export async function whose(registry: Registry, request: WhoseRequest): Promise<WhoseReport> {
  const digests = digestsOfLeaked(request.leaked);
  if (digests.length === 0) {
    throw new UserFault(
      "Standard input holds fewer than eight characters. Give the whole text that leaked: shorter ones have no fingerprint.",
    );
  }
  const matches: WhoseMatch[] = [];
  const without: string[] = [];
  const unreadable: string[] = [];
  const looked = { secrets: 0, versions: 0, texts: 0 };
  for (const environment of request.environments) {
    const plan = blueprint(registry, registry.environment(environment).name);
    const cloud = request.cloudIn(plan.regions.primary, environment);
    const found = await request.progress.step(`fingerprints of ${environment}`, async (report) => {
      const kept = await keptFingerprints(registry, plan, cloud, report);
      unreadable.push(...kept.unreadable);
      const distinct = distinctTexts(kept.versions);
      looked.secrets += new Set(kept.versions.map(({ name }) => name)).size;
      looked.versions += kept.versions.length;
      looked.texts += distinct.length;
      without.push(...withoutAny(plan, kept.versions).map((key) => `${environment} ${key}`));
      return {
        versions: kept.versions,
        hits: await hitsAmong(environment, distinct, digests, cloud, report),
      };
    });
    const hits = new Set(found.hits.map(({ fingerprint }) => fingerprint));
    for (const name of [...new Set(found.hits.map((hit) => hit.name))].sort()) {
      const versions = found.versions.filter((version) => version.name === name);
      matches.push(matchOf(plan, versions, hits, await cloud.labels(name)));
    }
  }
  return { matches, looked, without: without.sort(), unreadable };
}

async function keptFingerprints(
  registry: Registry,
  { environment, account, regions }: Blueprint,
  cloud: WhoseCloud,
  report: (detail: string) => void,
): Promise<{ readonly versions: readonly VersionFingerprints[]; readonly unreadable: readonly string[] }> {
  const bucket = recordsBucket(registry.id, environment, account, regions.primary);
  const objects = await cloud.objects(bucket);
  const versions: VersionFingerprints[] = [];
  const unreadable: string[] = [];
  let read = 0;
  await severalAtOnce(
    objects,
    async (object) => {
      const version = readVersionFingerprints(await cloud.read(bucket, object));
      if (version?.environment === environment) versions.push(version);
      else unreadable.push(`s3://${bucket}/${object}`);
      read += 1;
      if (read % 100 === 0) report(`${read} of ${objects.length} versions read`);
    },
    "stop",
  );
  return {
    versions: versions.sort((a, b) => (a.at + a.versionId < b.at + b.versionId ? -1 : 1)),
    unreadable: unreadable.sort(),
  };
}

/** A fingerprint of a secret's text, in however many versions. */
interface KnownText {
  readonly name: string;
  readonly kind: string;
  readonly fingerprint: string;
}

/** Newest first: what leaks is most often in use. */
function distinctTexts(versions: readonly VersionFingerprints[]): readonly KnownText[] {
  const known = new Map<string, KnownText>();
  for (const { name, kind, texts } of versions.toReversed()) {
    for (const fingerprint of Object.values(texts)) known.set(fingerprint, { name, kind, fingerprint });
  }
  return [...known.values()];
}

async function hitsAmong(
  environment: string,
  known: readonly KnownText[],
  digests: readonly string[],
  cloud: WhoseCloud,
  report: (detail: string) => void,
): Promise<readonly KnownText[]> {
  const hits: KnownText[] = [];
  let tried = 0;
  await severalAtOnce(
    known,
    async (text) => {
      const key = fingerprintedKey(environment, text.name);
      const { keyId, mac } = macOf(text.fingerprint);
      for (const digest of digests) {
        if (await cloud.verifies(keyId, textMessage(text.kind, key, digest), mac)) {
          hits.push(text);
          break;
        }
      }
      tried += 1;
      if (tried % 100 === 0) report(`${tried} of ${known.length} texts compared`);
    },
    "stop",
  );
  return hits;
}

const isAlive = (secret: SecretPlan): boolean => secret.retired === undefined;

const withoutAny = (plan: Blueprint, versions: readonly VersionFingerprints[]): readonly string[] => {
  const known = new Set(versions.map(({ secret }) => secret));
  return plan.secrets.filter((secret) => isAlive(secret) && !known.has(secret.key)).map(({ key }) => key);
};

/** The strongest first. */
const STANDINGS: readonly TextStanding[] = ["current", "next", "previous", "former"];

function matchOf(
  plan: Blueprint,
  versions: readonly VersionFingerprints[],
  hits: ReadonlySet<string>,
  labels: VersionLabels = new Map(),
): WhoseMatch {
  const served = servedAmong(versions, labels);
  const having = versions.flatMap((version) =>
    Object.entries(version.texts)
      .filter(([, fingerprint]) => hits.has(fingerprint))
      .map(([place]) => ({ version, place, standing: standingOf(version, place, served, labels) })),
  );
  const [strongest] = [...having]
    .reverse()
    .sort((a, b) => STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing));
  const [first, last] = [having[0], having.at(-1)];
  if (first === undefined || last === undefined || strongest === undefined)
    throw new Error("no version has it");
  const { secret: key, environment, kind } = last.version;
  const secret = plan.secrets.find((candidate) => candidate.key === key);
  return {
    environment,
    secret: key,
    kind,
    owner: secret?.owner,
    place: strongest.place,
    version: strongest.version.versionId,
    standing: strongest.standing,
    since: first.version.at,
    last: last.version.at,
    consumers: secret?.consumers ?? [],
    next: nextStep(plan, key, secret, strongest.standing),
  };
}

/** Labels of a secret's versions, by version id; empty where the secret is gone. */
type VersionLabels = ReadonlyMap<string, readonly string[]>;

/** The version that tells which texts are served, and whether it is AWSCURRENT itself. */
interface ServedVersion {
  readonly version: VersionFingerprints;
  readonly isCurrent: boolean;
}

/**
 * A version without fingerprints is current where its run has not come to them yet, or where a function has derived it from the
 * newest one that has some, by leaving out a key that is retired. Then the newest one tells what may still be accepted.
 */
function servedAmong(
  versions: readonly VersionFingerprints[],
  labels: VersionLabels,
): ServedVersion | undefined {
  const current = versions.find(({ versionId }) => labels.get(versionId)?.includes("AWSCURRENT"));
  if (current !== undefined) return { version: current, isCurrent: true };
  const newest = labels.size > 0 ? versions.at(-1) : undefined;
  return newest && { version: newest, isCurrent: false };
}

function standingOf(
  version: VersionFingerprints,
  place: string,
  served: ServedVersion | undefined,
  labels: VersionLabels,
): TextStanding {
  if (version.versionId === served?.version.versionId) {
    const [generation] = place.split(".");
    if (generation === "next" || generation === "previous") return generation;
    return served.isCurrent || generation === "current" ? "current" : "previous";
  }
  return labels.get(version.versionId)?.includes("AWSPREVIOUS") ? "previous" : "former";
}

function nextStep(
  { environment, changeRequest }: Blueprint,
  key: string,
  secret: SecretPlan | undefined,
  standing: TextStanding,
): string {
  if (secret === undefined || !isAlive(secret)) {
    return `the registry does not rotate ${key} any more: end the credential at its target by hand`;
  }
  const status = `secrets-registry rotate status ${key} --env ${environment}`;
  if (standing === "former") return `nothing has it any more; that its credential ended says ${status}`;
  const change = changeRequest === "required" ? " --change <file of the approved change request>" : "";
  return `secrets-registry rotate ${key} --env ${environment}${change} --emergency`;
}
