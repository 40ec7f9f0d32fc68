import type { Duration } from "./duration";

/**
 * Share of a lease or token that is left, at least, when an agent gives up renewing it and asks for another one: its
 * lifetime watcher keeps 10 to 20 % as grace.
 * https://github.com/hashicorp/vault/blob/main/api/lifetime_watcher.go (`calculateGrace`)
 */
export const SHARE_LEFT = 0.1;

const HOUR = 3_600;

/**
 * Times of a pod's Vault token; the agent renews it while the pod lives, up to the maximum. A user that Vault has made for a pod
 * ends with the token that asked for it: that of the init container, which nobody renews (a job has no other), and that of the
 * sidecar at its maximum. Where there are such users, what is left of a token then is what applications need to take up the next user.
 */
export function podTokenTimes(
  { reloadMargin, podTokenMaxTtl }: { readonly reloadMargin: Duration; readonly podTokenMaxTtl: Duration },
  readsMadeUsers: boolean,
  longestRun: Duration = { seconds: 0 },
): { readonly ttl: Duration; readonly maxTtl: Duration } {
  if (!readsMadeUsers) return { ttl: { seconds: HOUR }, maxTtl: podTokenMaxTtl };
  const seconds = Math.max(HOUR, Math.ceil(reloadMargin.seconds / SHARE_LEFT), longestRun.seconds);
  return { ttl: { seconds }, maxTtl: { seconds: Math.max(podTokenMaxTtl.seconds, 2 * seconds) } };
}
