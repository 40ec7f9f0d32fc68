import type { ProofLabel } from "../protocol/version-proof";
import type { RotationContext } from "./rotation-context";
import { Versions } from "./versions";

/** A secret in the hands of one call, as far as proofs go. */
interface ProvableSecret {
  readonly context: Pick<RotationContext<never>, "store" | "proofs">;
  readonly secretId: string;
  readonly versions: Versions;
  /** Takes a label off a version, unless that is done. */
  takeLabel(label: ProofLabel, from: string): Promise<void>;
}

/**
 * `true` when a version is AWSCURRENT by a rotation that went to its end. A secret's first value gets AWSCURRENT whatever was
 * asked for, before anything was installed or tested, and somebody may put one by hand: until it is proved, its steps are
 * done again. A label that only looks like a proof is none.
 */
export async function isProven(secret: ProvableSecret, versionId: string): Promise<boolean> {
  const { versions } = secret;
  const isSettled = versions.has(versionId, "AWSCURRENT") && !versions.has(versionId, "AWSPENDING");
  return isSettled && (await hasProof(secret, versionId));
}

/** Asks KMS only where a label has the form of a proof. */
const hasProof = async ({ context, versions }: ProvableSecret, versionId: string): Promise<boolean> =>
  versions.proofsOf(versionId).length > 0 &&
  versions.has(versionId, await context.proofs.labelFor(versions.secretArn, versionId));

/**
 * Proves a version that has passed its test, and moves AWSCURRENT to it. The proof comes first, so that whoever hears of
 * the new AWSCURRENT can tell it from a value that somebody put by hand. What was current keeps its proof until it is not:
 * a call that dies in between leaves no AWSCURRENT without one.
 */
export async function makeCurrent(secret: ProvableSecret, versionId: string): Promise<void> {
  const { context, secretId, versions } = secret;
  const proof = await prove(secret, versionId);
  const currentId = versions.holderOf("AWSCURRENT");
  if (currentId !== versionId) {
    await context.store.moveLabel(secretId, "AWSCURRENT", {
      ...(currentId === undefined ? {} : { from: currentId }),
      to: versionId,
    });
  }
  await retireProofs(secret, versionId, proof);
}

/** Proves AWSCURRENT where it is, when it has passed its test: somebody else than a rotation may have put it there. */
export async function proveCurrent(secret: ProvableSecret, versionId: string): Promise<void> {
  await retireProofs(secret, versionId, await prove(secret, versionId));
}

/**
 * Takes AWSCURRENT back from a version that is not proved, to the one that was served before: somebody has put a value past
 * every test. Where no version is proved, there is nothing to go back to.
 *
 * @returns whether AWSCURRENT has moved
 */
export async function takeBackUnproven(secret: ProvableSecret): Promise<boolean> {
  const { context, secretId, versions } = secret;
  const current = versions.holderOf("AWSCURRENT");
  if (current === undefined || !versions.isServed) return false;
  if (await hasProof(secret, current)) return false;
  for (const former of versions.provedBeside(current)) {
    if (!(await hasProof(secret, former))) continue;
    await context.store.moveLabel(secretId, "AWSCURRENT", { from: current, to: former });
    return true;
  }
  return false;
}

/** Gives a version its proof. One by another key, such as that of a region that was lost, goes. */
async function prove(secret: ProvableSecret, versionId: string): Promise<ProofLabel> {
  const { context, secretId, versions } = secret;
  const proof = await context.proofs.labelFor(versions.secretArn, versionId);
  for (const other of versions.proofsOf(versionId)) {
    if (other !== proof) await secret.takeLabel(other, versionId);
  }
  if (!versions.has(versionId, proof)) await context.store.moveLabel(secretId, proof, { to: versionId });
  return proof;
}

/**
 * Takes their proof from the versions before: it would let them be served again, and a version with a label is never
 * removed. A rollback may at the same time make one of them current again. Each of the two looks when it has written, so
 * that what is current in the end has its proof.
 */
async function retireProofs(secret: ProvableSecret, currentId: string, proof: ProofLabel): Promise<void> {
  const { context, secretId, versions } = secret;
  const retired = versions.ids
    .filter((id) => id !== currentId && !versions.has(id, "AWSPENDING"))
    .flatMap((id) => versions.proofsOf(id).map((label) => [id, label] as const));
  for (const [id, label] of retired) await secret.takeLabel(label, id);
  const after = new Versions(await context.store.describe(secretId));
  for (const [id, label] of [...retired, [currentId, proof] as const]) {
    const isLost = after.has(id, "AWSCURRENT") && !after.has(id, label);
    if (isLost) await context.store.moveLabel(secretId, label, { to: id });
  }
}
