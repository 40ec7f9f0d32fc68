import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  type GetEventSelectorsCommandOutput,
  GetTrailStatusCommand,
} from "@aws-sdk/client-cloudtrail";
import {
  type ContextEntry,
  GetAccountSummaryCommand,
  GetOpenIDConnectProviderCommand,
  GetOutboundWebIdentityFederationInfoCommand,
  GetRoleCommand,
  GetUserCommand,
  IAMClient,
  paginateListRoles,
  paginateSimulatePrincipalPolicy,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { PolicyStatement } from "../../model/policy-document";
import { type AwsRotationCloudProps, ask } from "./aws-rotation-cloud";
import type {
  AccountFacts,
  PreflightCloud,
  SimulatedDenial,
  TrailFacts,
  Unanswered,
} from "./preflight-cloud";

const MISSING = /^(NoSuchEntity(Exception)?|TrailNotFoundException|FeatureDisabled(Exception)?)$/;

/** {@link PreflightCloud} by AWS's SDK: credentials, endpoints and proxies come from its own chain. */
export class AwsPreflightCloud implements PreflightCloud {
  readonly #props: AwsRotationCloudProps;
  readonly #iam: IAMClient;

  constructor(props: AwsRotationCloudProps) {
    this.#props = props;
    this.#iam = new IAMClient({ ...props });
  }

  async callerAccount(): Promise<string> {
    const { Account } = await ask("sts:GetCallerIdentity", "the credentials", () =>
      new STSClient({ ...this.#props }).send(new GetCallerIdentityCommand({})),
    );
    return Account ?? "";
  }

  trails(region: string): Promise<readonly TrailFacts[] | Unanswered> {
    const client = new CloudTrailClient({ ...this.#props, region });
    return answered("cloudtrail", async () => {
      const { trailList = [] } = await client.send(new DescribeTrailsCommand({ includeShadowTrails: true }));
      return Promise.all(
        trailList.map(async (trail): Promise<TrailFacts> => {
          const TrailName = trail.TrailARN ?? trail.Name ?? "";
          const [{ IsLogging }, selectors] = await Promise.all([
            client.send(new GetTrailStatusCommand({ Name: TrailName })),
            client.send(new GetEventSelectorsCommand({ TrailName })),
          ]);
          return {
            name: trail.Name ?? TrailName,
            isMultiRegion: trail.IsMultiRegionTrail ?? false,
            includesGlobalServices: trail.IncludeGlobalServiceEvents ?? false,
            isLogging: IsLogging ?? false,
            ...selected(selectors),
          };
        }),
      );
    });
  }

  account(): Promise<AccountFacts | Unanswered> {
    return answered("iam:GetAccountSummary", async () => {
      const { SummaryMap = {} } = await this.#iam.send(new GetAccountSummaryCommand({}));
      const count = (name: string): number => Number(SummaryMap[name as keyof typeof SummaryMap] ?? 0);
      return {
        roles: count("Roles"),
        rolesQuota: count("RolesQuota"),
      };
    });
  }

  rolesBelow(path: string): Promise<number | Unanswered> {
    return answered("iam:ListRoles", async () => {
      let count = 0;
      for await (const { Roles = [] } of paginateListRoles({ client: this.#iam }, { PathPrefix: path })) {
        count += Roles.length;
      }
      return count;
    });
  }

  async principalExists(arn: string): Promise<boolean | Unanswered> {
    const name = arn.slice(arn.lastIndexOf("/") + 1);
    const found = await answered("iam:GetRole", async () => {
      if (/:user\//.test(arn))
        return (await this.#iam.send(new GetUserCommand({ UserName: name }))).User?.Arn;
      return (await this.#iam.send(new GetRoleCommand({ RoleName: name }))).Role?.Arn;
    });
    return typeof found === "object" ? found : found === arn;
  }

  trustOf(arn: string): Promise<{ readonly document: unknown } | undefined | Unanswered> {
    return answered("iam:GetRole", async () => {
      const RoleName = arn.slice(arn.lastIndexOf("/") + 1);
      const { Role } = await this.#iam.send(new GetRoleCommand({ RoleName }));
      // IAM encodes it as in a URL: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html
      return { document: JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "{}")) as unknown };
    });
  }

  denied(arn: string, { Action, Resource = [], Condition = {} }: PolicyStatement) {
    return answered("iam:SimulatePrincipalPolicy", async (): Promise<readonly SimulatedDenial[]> => {
      const denied = new Map<string, Set<string>>();
      const pages = paginateSimulatePrincipalPolicy(
        { client: this.#iam },
        {
          PolicySourceArn: arn,
          ActionNames: [...Action],
          ...(Resource.includes("*") ? {} : { ResourceArns: [...Resource] }),
          ContextEntries: contextFor(Condition),
        },
      );
      for await (const { EvaluationResults = [] } of pages) {
        for (const { EvalActionName = "", ResourceSpecificResults = [], ...whole } of EvaluationResults) {
          const verdicts = [
            { decision: whole.EvalDecision, missing: whole.MissingContextValues },
            ...ResourceSpecificResults.map((of) => ({
              decision: of.EvalResourceDecision,
              missing: of.MissingContextValues,
            })),
          ];
          for (const { decision, missing = [] } of verdicts) {
            if (decision === "allowed") continue;
            const known = denied.get(EvalActionName) ?? new Set();
            denied.set(EvalActionName, known);
            // A deny hangs on nothing that is not there.
            if (decision === "implicitDeny") for (const key of missing) known.add(key);
          }
        }
      }
      return [...denied].map(([action, missing]) => ({ action, missing: [...missing].sort() }));
    });
  }

  oidcAudiences(arn: string): Promise<readonly string[] | undefined | Unanswered> {
    return answered("iam:GetOpenIDConnectProvider", async () => {
      const { ClientIDList = [] } = await this.#iam.send(
        new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }),
      );
      return ClientIDList;
    });
  }

  tokenIssuer(): Promise<string | undefined | Unanswered> {
    return answered("iam:GetOutboundWebIdentityFederationInfo", async () => {
      const info = await this.#iam.send(new GetOutboundWebIdentityFederationInfoCommand({}));
      return info.JwtVendingEnabled === false ? undefined : info.IssuerIdentifier;
    });
  }
}

/** A request that a statement's conditions let through, as far as they name what the request has. */
const contextFor = (condition: NonNullable<PolicyStatement["Condition"]>): ContextEntry[] =>
  Object.entries(condition)
    .filter(([operator]) => !/^Null$|Not|^ForAllValues:/.test(operator))
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([ContextKeyName, values]) => ({
        ContextKeyName,
        // A pattern is matched by what stands for its stars.
        ContextKeyValues: values.slice(0, 1).map((value) => value.replaceAll(/[*?]/g, "x")),
        ContextKeyType: operator.startsWith("Bool") ? ("boolean" as const) : ("string" as const),
      })),
    );

/**
 * Both forms of selectors, as one reading.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
 */
function selected({
  EventSelectors = [],
  AdvancedEventSelectors = [],
}: GetEventSelectorsCommandOutput): Pick<
  TrailFacts,
  "logsWrites" | "logsReads" | "excludedSources" | "dataResources"
> {
  const plain = EventSelectors.filter(({ IncludeManagementEvents }) => IncludeManagementEvents !== false);
  const advanced = AdvancedEventSelectors.map(({ FieldSelectors = [] }) => {
    const field = (name: string) => FieldSelectors.find(({ Field }) => Field === name);
    return {
      category: field("eventCategory")?.Equals?.[0],
      readOnly: field("readOnly")?.Equals?.[0],
      excluded: field("eventSource")?.NotEquals ?? [],
      only: field("eventSource")?.Equals ?? field("eventName")?.Equals,
      type: field("resources.type")?.Equals?.[0],
    };
  });
  const management = advanced.filter(({ category, only }) => category === "Management" && only === undefined);
  return {
    logsWrites:
      plain.some(({ ReadWriteType = "All" }) => ReadWriteType !== "ReadOnly") ||
      management.some(({ readOnly }) => readOnly !== "true"),
    logsReads:
      plain.some(({ ReadWriteType = "All" }) => ReadWriteType !== "WriteOnly") ||
      management.some(({ readOnly }) => readOnly !== "false"),
    excludedSources: [
      ...plain.flatMap(({ ExcludeManagementEventSources = [] }) => ExcludeManagementEventSources),
      ...management.flatMap(({ excluded }) => excluded),
    ],
    dataResources: [
      ...EventSelectors.flatMap(({ DataResources = [] }) => DataResources.flatMap(({ Type }) => Type ?? [])),
      ...advanced.flatMap(({ category, type }) => (category === "Data" && type !== undefined ? [type] : [])),
    ],
  };
}

/**
 * AWS's answer to a question. A refusal becomes {@link Unanswered}, a missing thing `undefined`; every other failure is
 * thrown.
 */
async function answered<T>(what: string, question: () => Promise<T>): Promise<T | Unanswered> {
  try {
    return await question();
  } catch (failure) {
    const name = failure instanceof Error ? failure.name : "";
    if (MISSING.test(name)) return undefined as T;
    if (/^AccessDenied(Exception)?$/.test(name)) return { unanswered: `the credentials may not ask ${what}` };
    return ask(what, "the account", () => Promise.reject(failure));
  }
}
