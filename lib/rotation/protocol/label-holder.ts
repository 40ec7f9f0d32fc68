/**
 * Version of a secret that has a staging label, such as AWSCURRENT; `undefined`: none has it. Secrets Manager lets one version at a
 * time have a label.
 *
 * @param labels labels by version, as DescribeSecret answers them
 */
export const labelHolder = (
  labels: ReadonlyMap<string, readonly string[]>,
  label: string,
): string | undefined => [...labels].find(([, held]) => held.includes(label))?.[0];
