import type { AcceptedBy, KindName, Store } from "../../model/kinds";

/** Effect on consumers of a rotation that goes wrong, and the way back. Text for people, by kind and acceptance. */
export interface RotationImpact {
  readonly breaks: string;
  readonly rollback: string;
}

/** Work that stops when the value that consumers have is not the one that is accepted. */
const BREAKS: Record<KindName, string> = {
  "postgresql-user":
    "New connections to the database are refused; open ones work until they close. Requests and tasks that need it fail.",
  "redis-auth-token":
    "New connections to Redis are refused; open ones work until they close. Cache, sessions and queues behind it stand still.",
  "jwt-signing-key":
    "Tokens signed by a key that verifiers do not know are refused: users are signed out, services refuse each other.",
  "hmac-key":
    "Webhooks signed with a key that the receiver does not know are refused, and come late or never.",
  stripe:
    "Stripe refuses calls, so payments fail; webhook events that cannot be verified wait for Stripe's retries.",
  paypal: "PayPal refuses calls, so payments by PayPal fail.",
  sendgrid: "SendGrid refuses calls, so no mail is sent; tasks that send it are tried again.",
  "s3-access-key": "S3 refuses calls, so uploads to the bucket and downloads from it fail.",
  datadog: "Metrics, logs and alarms no longer arrive: nothing is down, but nobody would see it.",
  generic: "Whatever its consumers do with it fails.",
};

const BREAKS_IN_VAULT =
  "Vault can make no database users: new pods wait in their init containers, running ones lose theirs when the lease ends.";

const NOBODY_READS_IT =
  "No workload notices. What is rotated with it cannot be rotated until it is fixed; their values keep working.";

/** Way back from a rotation, by who accepts the credential (docs/explanation/architecture.md, decision 3). */
const ROLLBACK: Record<AcceptedBy, string> = {
  target:
    "Until decommission the old credential works: the former version becomes current again after a login with it, and pods have it at their next refresh. After decommission only a new rotation helps.",
  "own-workloads":
    "Until decommission every consumer accepts the former key too: the former version becomes current again, and what the new key signed is still accepted. After decommission only a new rotation helps.",
  "single-slot":
    "None: the old credential died when the new one was made. Rotate anew, or put the value that the target accepts.",
};

const ROLLBACK_IN_VAULT =
  "Users that were made before live until their leases end. Set the password of the engine's login at the database, configure the connection with it, and rotate it anew.";

/** Work that a rotation of a secret can break, and the way back. */
export function rotationImpact(secret: {
  readonly kind: KindName;
  readonly store: Store;
  readonly acceptedBy: AcceptedBy;
  readonly consumers: readonly string[];
}): RotationImpact {
  const inVault = secret.store === "vault";
  const breaks = inVault ? BREAKS_IN_VAULT : BREAKS[secret.kind];
  return {
    breaks: secret.consumers.length === 0 ? NOBODY_READS_IT : breaks,
    rollback: inVault ? ROLLBACK_IN_VAULT : ROLLBACK[secret.acceptedBy],
  };
}
