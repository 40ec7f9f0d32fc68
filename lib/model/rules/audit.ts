import type { ParsedEnvironment } from "../environment-definition";
import { type Fault, fault, type PathStep } from "../faults";
import { forEnvironments, type RuleContext, repeated } from "./context";
import { NO_NETWORK } from "./functions";

/** Faults of an environment's audit trail. */
export const auditFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (name, environment) => {
    const { audit } = environment;
    if (audit === undefined) return [];
    const path = (...steps: readonly PathStep[]): readonly PathStep[] => [
      "environments",
      name,
      "audit",
      "sinks",
      ...steps,
    ];
    return [
      ...repeated(audit.sinks, (sink) => sink.name).map(({ entry, index }) =>
        fault(
          path(index, "name"),
          `${JSON.stringify(entry.name)} a second time`,
          "each name once",
          "rename or remove it: queue and function have its name",
        ),
      ),
      ...audit.sinks.flatMap((sink, index) => [
        ...networkFaults(environment, sink.network, path(index, "network")),
        ...arnsOf(sink).flatMap(([steps, arn]) => arnFaults(name, environment, arn, path(index, ...steps))),
      ]),
    ];
  });

type Sink = NonNullable<ParsedEnvironment["audit"]>["sinks"][number];

function arnsOf(sink: Sink): readonly (readonly [readonly PathStep[], string])[] {
  switch (sink.type) {
    case "splunk-hec":
      return [[["token", "secretArn"], sink.token.secretArn]];
    case "datadog":
      return [[["apiKey", "secretArn"], sink.apiKey.secretArn]];
    case "https":
      return [[["credential", "secretArn"], sink.credential.secretArn]];
    case "firehose":
      return [[["streamArn"], sink.streamArn]];
  }
}

function arnFaults(
  name: string,
  environment: ParsedEnvironment,
  arn: string,
  path: readonly PathStep[],
): readonly Fault[] {
  const [, , service, , account, , ...rest] = arn.split(":");
  if (account !== environment.account) {
    return [
      fault(
        path,
        `one of account ${account}`,
        `one of the environment's account ${environment.account}`,
        "keep it where the function runs: whoever owns it would have to open its policy to another account",
      ),
    ];
  }
  const isOurs = service === "secretsmanager" && rest.join(":").startsWith(`${name}/`);
  return isOurs
    ? [
        fault(
          path,
          "a secret of this registry",
          "a secret outside of it",
          `name it otherwise than ${name}/…: the policies of the registry's secrets deny their values to all but consumers`,
        ),
      ]
    : [];
}

function networkFaults(
  { networks }: ParsedEnvironment,
  network: string | undefined,
  path: readonly PathStep[],
): readonly Fault[] {
  if (network === undefined || network === NO_NETWORK) return [];
  return networks.some((candidate) => candidate.name === network)
    ? []
    : [
        fault(
          path,
          `${JSON.stringify(network)}, which is no network`,
          [NO_NETWORK, ...networks.map((candidate) => candidate.name)].join(", "),
          "correct the name, or add the network to the environment",
        ),
      ];
}
