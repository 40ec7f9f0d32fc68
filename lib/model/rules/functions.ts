import { type Fault, fault, type PathStep } from "../faults";
import { forEnvironments, type RuleContext, repeated } from "./context";

/** The word that stands for no network; not a network's name. */
export const NO_NETWORK = "none";

/** Faults of what the functions of rotation and mirror need of an environment. */
export const functionFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (name, environment, secrets) => {
    const { networks, mirrorNetwork } = environment;
    const networkFault = (path: readonly PathStep[], network: string): readonly Fault[] =>
      network === NO_NETWORK || networks.some((candidate) => candidate.name === network)
        ? []
        : [
            fault(
              path,
              `${JSON.stringify(network)}, which is no network of ${name}`,
              [NO_NETWORK, ...networks.map((candidate) => candidate.name)].join(", "),
              `correct the name, or add the network to environments.${name}.networks`,
            ),
          ];
    // The mirror copies what others read in Vault, and has Vault rotate the logins of its own connections.
    const mirrored =
      environment.vaults.length === 0
        ? undefined
        : secrets.find((secret) => secret.store === "vault" || secret.consumers.length > 0);
    return [
      ...repeated(networks, (network) => network.name).map(({ entry, index }) =>
        fault(
          ["environments", name, "networks", index, "name"],
          `${JSON.stringify(entry.name)} a second time`,
          "each name once",
          "rename or remove it",
        ),
      ),
      ...networks.flatMap((network, index) =>
        network.name === NO_NETWORK
          ? [
              fault(
                ["environments", name, "networks", index, "name"],
                JSON.stringify(NO_NETWORK),
                `any other name: ${NO_NETWORK} stands for no network`,
                "rename it",
              ),
            ]
          : [],
      ),
      ...(mirrorNetwork === undefined
        ? []
        : networkFault(["environments", name, "mirrorNetwork"], mirrorNetwork)),
      ...secrets.flatMap((secret) => {
        if (secret.network === undefined) return [];
        const definition = context.parsed.secrets.get(secret.key);
        const path = definition?.environments[name]?.network
          ? ["secrets", secret.key, "environments", name, "network"]
          : ["secrets", secret.key, "network"];
        return networkFault(path, secret.network);
      }),
      ...(mirrored !== undefined && environment.awsTokenIssuer === undefined
        ? [
            fault(
              ["environments", name, "awsTokenIssuer"],
              mirrored.store === "aws"
                ? `none, and ${mirrored.key} is to be copied into Vault`
                : `none, and Vault is to rotate the connection of ${mirrored.key}`,
              "the issuer of the account's outbound tokens, such as https://1a2b3c4d-….tokens.sts.global.api.aws",
              "enable it once per account (aws iam enable-outbound-web-identity-federation), and put the issuer that it prints here",
            ),
          ]
        : []),
    ];
  });
