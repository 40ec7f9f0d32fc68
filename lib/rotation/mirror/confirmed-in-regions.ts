import { type PublisherContext, SecretPublisher } from "./secret-publisher";

/** Ports by which versions are confirmed where nothing is copied. */
export type ConfirmerContext = Pick<
  PublisherContext,
  "region" | "proofs" | "ledger" | "publications" | "clock" | "jitter"
> & { readonly store: Pick<PublisherContext["store"], "describe"> };

/**
 * Confirms versions where pods read Secrets Manager: by the same rounds by which the mirror does, on the same ledger, with no
 * Vault to bring anything to. A version is confirmed once it is AWSCURRENT, proved, and in every region.
 *
 * @returns a function that throws RotationError: `replica-behind` while a region lags, or what keeps a secret from being looked at
 */
export function confirmedInRegions({
  store,
  ...context
}: ConfirmerContext): (secretName: string) => Promise<void> {
  const publisher = new SecretPublisher({
    ...context,
    store: {
      describe: (secretId) => store.describe(secretId),
      // Nothing is copied, so no value is asked for.
      read: async () => undefined,
    },
    vaults: [],
    readInRegions: true,
    guard: () => undefined,
  });
  return async (secretName) => {
    const { result, lagging } = await publisher.publish(secretName, {});
    const [behind] = Object.values(lagging);
    if (result === "incomplete" && behind !== undefined) throw behind;
  };
}
