import { parsePrincipal } from "../aws-grammar";
import { formatDuration } from "../duration";
import type { ParsedEnvironment } from "../environment-definition";
import { type Fault, fault } from "../faults";
import { partitionOf } from "../partitions";
import { needsApproval } from "../resolve";
import { hasInbox } from "../supplied-values";
import { forEnvironments, type RuleContext, repeated } from "./context";

/** Policy: "refresh every 6 hours". */
const LONGEST_REFRESH = 6 * 3_600;
/** Shortest refresh interval, in seconds: below it, agents would do nothing else. */
const SHORTEST_REFRESH = 60;

type Rule = (name: string, environment: ParsedEnvironment) => readonly Fault[];

const regions: Rule = (name, { regions: { primary, replicas } }) => {
  const partition = partitionOf(primary);
  return replicas.flatMap((region, index) => {
    const path = ["environments", name, "regions", "replicas", index];
    if (region === primary) {
      return [
        fault(
          path,
          `${region}, which is the primary region`,
          "regions other than the primary",
          "remove it: the primary holds the secret anyway",
        ),
      ];
    }
    if (replicas.indexOf(region) < index) {
      return [fault(path, `${region} a second time`, "each replica region once", "remove it")];
    }
    if (partitionOf(region) !== partition) {
      return [
        fault(
          path,
          `${region} of partition ${partitionOf(region)}`,
          `regions of partition ${partition}, like the primary ${primary}`,
          "choose a region of the same partition: Secrets Manager does not replicate across partitions",
        ),
      ];
    }
    return [];
  });
};

const principals: Rule = (name, environment) => {
  const { deployer, operators, approvers, breakGlass, ci } = environment.principals;
  const partition = partitionOf(environment.regions.primary);
  const all: readonly (readonly [readonly (string | number)[], string])[] = [
    [["deployer"], deployer],
    ...(ci === undefined ? [] : [[["ci"], ci] as const]),
    ...Object.entries({ operators, approvers, breakGlass }).flatMap(([list, arns]) =>
      arns.map((arn, index) => [[list, index], arn] as const),
    ),
  ];
  const strangers = all.flatMap(([path, arn]) => {
    const principal = parsePrincipal(arn);
    if (!principal || (principal.account === environment.account && principal.partition === partition))
      return [];
    return [
      fault(
        ["environments", name, "principals", ...path],
        `a principal of account ${principal.account} in partition ${principal.partition}`,
        `principals of the environment's account ${environment.account} in partition ${partition}`,
        "name the role that is taken in that account",
      ),
    ];
  });
  const readers = { operators, breakGlass, approvers };
  const deployerReads = Object.entries(readers).flatMap(([list, arns]) =>
    arns.includes(deployer)
      ? [
          fault(
            ["environments", name, "principals", list, arns.indexOf(deployer)],
            `${deployer}, which is the deployer`,
            list === "approvers"
              ? "approvers other than the deployer: nobody approves a change of their own"
              : "roles other than the deployer: it deploys everything and reads no value",
            "use a role of its own",
          ),
        ]
      : [],
  );
  const selfApproval = approvers.flatMap((arn, index) =>
    operators.includes(arn)
      ? [
          fault(
            ["environments", name, "principals", "approvers", index],
            `${arn}, which is an operator`,
            "approvers who run no rotations: an approver is never the requester",
            "use a role of its own",
          ),
        ]
      : [],
  );
  return [...strangers, ...deployerReads, ...selfApproval];
};

const approval: Rule = (name, environment) => {
  if (!needsApproval(environment) || environment.principals.approvers.length > 0) return [];
  return [
    fault(
      ["environments", name, "principals", "approvers"],
      `none, and ${environment.approval ? "`approval` is required" : "production asks for approval"} before an old credential goes`,
      "at least one role that approves",
      `name the approvers' role, or set environments.${name}.approval to "none"`,
    ),
  ];
};

/** Faults of vouching: who vouches is known by a role and by a token; one without the other lets nobody in, or the wrong ones. */
const changes: Rule = (name, { changes, changeRequest, principals: { ci, operators, approvers } }) => {
  const path = ["environments", name, "principals", "ci"];
  if (ci === undefined && changes === undefined) {
    // The tier's default alone is no fault: it keeps people out while schedules rotate, until somebody vouches. Whoever
    // writes it means people to come in.
    return changeRequest !== "required"
      ? []
      : [
          fault(
            ["environments", name, "changes"],
            "nothing, and `changeRequest` is required: nobody can vouch for one, so people can start no rotation",
            "the repository whose jobs vouch for change requests, and in principals.ci the role that they take",
            'name both, or set `changeRequest` to "none"',
          ),
        ];
  }
  if (ci === undefined) {
    return [
      fault(
        path,
        "none, and `changes` says which jobs vouch for change requests",
        "the role that those jobs take",
        "name it, or leave `changes` out",
      ),
    ];
  }
  if (changes === undefined) {
    return [
      fault(
        ["environments", name, "changes"],
        `nothing, and principals.ci is ${ci}`,
        "the repository whose jobs vouch for change requests",
        "name it, or leave principals.ci out",
      ),
    ];
  }
  if (![...operators, ...approvers].includes(ci)) return [];
  return [
    fault(
      path,
      `${ci}, which is an operator or an approver`,
      "a role that only vouches for change requests",
      "use a role of its own: nobody vouches for a change of their own",
    ),
  ];
};

const boundary: Rule = (name, environment) => {
  const arn = environment.permissionsBoundary;
  const account = arn?.split(":")[4];
  if (arn === undefined || account === "aws" || account === environment.account) return [];
  return [
    fault(
      ["environments", name, "permissionsBoundary"],
      `a policy of account ${account}`,
      `a policy of the environment's account ${environment.account}, or of AWS`,
      "name the boundary as that account has it",
    ),
  ];
};

const refresh: Rule = (name, { refreshEvery }) => {
  if (refreshEvery.seconds >= SHORTEST_REFRESH && refreshEvery.seconds <= LONGEST_REFRESH) return [];
  return [
    fault(
      ["environments", name, "refreshEvery"],
      formatDuration(refreshEvery),
      "1 minute to 6 hours (policy: applications refresh every 6 hours)",
      "choose hours(6) or less",
    ),
  ];
};

const recovery: Rule = (name, { tier, recoveryWindow }) => {
  if (recoveryWindow.seconds > 0 || tier === "development") return [];
  return [
    fault(
      ["environments", name, "recoveryWindow"],
      "none, and its values are used",
      "7 to 30 days; none in development only",
      "choose days(7) to days(30)",
    ),
  ];
};

const regionsOf = ({ regions: { primary, replicas } }: ParsedEnvironment): readonly string[] => [
  ...new Set([primary, ...replicas]),
];

const vaults: Rule = (name, environment) => {
  const known = regionsOf(environment);
  return [
    ...repeated(environment.vaults, (vault) => vault.name).map(({ entry, index }) =>
      fault(
        ["environments", name, "vaults", index, "name"],
        `${JSON.stringify(entry.name)} a second time`,
        "each Vault's name once",
        "rename one of them",
      ),
    ),
    ...environment.vaults.flatMap((vault, index) =>
      vault.regions.flatMap((region, place) => {
        const path = ["environments", name, "vaults", index, "regions", place];
        if (!known.includes(region)) {
          return [
            fault(
              path,
              region,
              `the environment's regions: ${known.join(", ")}`,
              "remove it, or add the region to the environment",
            ),
          ];
        }
        return vault.regions.indexOf(region) < place
          ? [fault(path, `${region} a second time`, "each region once", "remove it")]
          : [];
      }),
    ),
  ];
};

/** The place in a server that a Vault of the registry is. */
const placeOf = ({ address, namespace }: ParsedEnvironment["vaults"][number]): string =>
  `${address} ${namespace ?? ""}`;

/**
 * Faults of deployers whose policy fixes names only: each can give itself everything of its namespace, which must be the
 * environment's alone.
 */
function deployers({ parsed }: RuleContext): readonly Fault[] {
  const vaults = [...parsed.environments].flatMap(([name, environment]) =>
    environment.vaults.map((vault, index) => ({ name, vault, index })),
  );
  return vaults.flatMap(({ name, vault, index }) => {
    if (vault.deployer !== "names") return [];
    const others = vaults.filter((other) => other.name !== name && placeOf(other.vault) === placeOf(vault));
    if (vault.namespace !== undefined && others.length === 0) return [];
    return [
      fault(
        ["environments", name, "vaults", index, "deployer"],
        vault.namespace === undefined
          ? '"names", in a Vault without a namespace'
          : `"names", in a namespace that is also of ${[...new Set(others.map((other) => other.name))].join(", ")}`,
        '"contents", or a namespace of this environment alone: whoever holds this policy can give itself everything there',
        "give the environment a namespace of its own, or leave `deployer` out",
      ),
    ];
  });
}

const clusters: Rule = (name, environment) => {
  const known = regionsOf(environment);
  return [
    ...repeated(environment.clusters, (cluster) => cluster.name).map(({ entry, index }) =>
      fault(
        ["environments", name, "clusters", index, "name"],
        `${JSON.stringify(entry.name)} a second time`,
        "each cluster's name once",
        "rename one: auth mounts and addresses are made of it",
      ),
    ),
    ...repeated(environment.clusters, (cluster) => cluster.issuer).map(({ entry, index }) =>
      fault(
        ["environments", name, "clusters", index, "issuer"],
        `${entry.issuer} a second time`,
        "an issuer of its own for each cluster",
        "take the issuer from the cluster itself: tokens of two clusters could not be distinguished",
      ),
    ),
    ...environment.clusters.flatMap((cluster, index) => {
      const path = ["environments", name, "clusters", index];
      if (!known.includes(cluster.region)) {
        return [
          fault(
            [...path, "region"],
            cluster.region,
            `the environment's regions: ${known.join(", ")}`,
            "add the region to the environment's replicas: pods read the replica of their own region",
          ),
        ];
      }
      const vault = environment.vaults.find((candidate) => candidate.name === cluster.vault);
      if (vault && !vault.regions.includes(cluster.region)) {
        return [
          fault(
            [...path, "vault"],
            `${JSON.stringify(vault.name)}, which serves ${vault.regions.join(", ")}`,
            `a Vault that serves ${cluster.region}`,
            "choose another Vault, or add the region to its regions",
          ),
        ];
      }
      return [];
    }),
  ];
};

/** Rotations that do not go by themselves begin with an operator: a value that people supply, or a step that they take. */
const operatorFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (name, { principals }, secrets) => {
    const needy = secrets.filter((secret) => secret.rotation !== "automatic" || hasInbox(secret));
    const [first, ...others] = needy.map(({ key }) => key);
    if (first === undefined || principals.operators.length > 0) return [];
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    return [
      fault(
        ["environments", name, "principals", "operators"],
        `none, and people rotate ${first}${more}, or supply the value`,
        "at least one role that does",
        "name the operators' role, as they take it in the environment's account",
      ),
    ];
  });

/** Faults of an environment as a whole. */
export const environmentFaults = (context: RuleContext): readonly Fault[] => [
  ...operatorFaults(context),
  ...forEnvironments(context, (name, environment) =>
    [regions, principals, approval, changes, boundary, refresh, recovery, vaults, clusters].flatMap((rule) =>
      rule(name, environment),
    ),
  ),
  ...deployers(context),
];
