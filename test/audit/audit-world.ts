import Ajv, { type ValidateFunction } from "ajv/dist/2020";
import { type AuditScope, OCSF_VERSION, type OcsfEvent } from "../../lib/audit";
import { ocsfSchemas } from "../../packages/rehearsal/src/servers";

export const ACCOUNT = "111122223333";
export const REGION = "eu-central-1";
const role = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/acme/prod/${name}`;
export const ROLES = {
  backend: role("acme-prod-backend"),
  rotator: role("acme-prod--rotate-postgresql-user"),
  breakGlass: `arn:aws:iam::${ACCOUNT}:role/sealed`,
  stranger: `arn:aws:iam::${ACCOUNT}:role/stranger`,
};
export const SECRET = "prod/db/app-primary";
export const SECRET_ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${SECRET}-Ab12Cd`;

export const SCOPE: AuditScope = {
  registry: "acme",
  environment: "prod",
  account: ACCOUNT,
  partition: "aws",
  region: REGION,
  secretPrefix: "prod/",
  secrets: {
    [SECRET]: { key: "db/app-primary", owner: "platform" },
    "prod/payments/stripe": { key: "payments/stripe", owner: "payments" },
  },
  rolePrefix: "acme-prod-",
  principals: {
    [ROLES.backend]: { is: "workload", name: "backend", serviceAccount: "backend:backend" },
    [ROLES.rotator]: { is: "function", name: "acme-prod--rotate-postgresql-user" },
    [ROLES.breakGlass]: { is: "break-glass", name: "sealed" },
  },
  vault: {
    kvMount: "kv-prod",
    databaseMount: "database-prod",
    authMounts: ["kubernetes-main", "aws-prod"],
    policyPrefix: "acme-prod-",
    databaseRoles: { "db--reporting-ro": "db/reporting-ro" },
  },
};

/** OCSF's own schemas as a check: faults of an event, none for a valid one. */
export async function ocsfCheck(): Promise<(event: OcsfEvent) => readonly string[]> {
  const schemas = await ocsfSchemas(OCSF_VERSION);
  const ajv = new Ajv({ strict: false, allErrors: true });
  const checks: Readonly<Record<3004 | 6003, ValidateFunction>> = {
    3004: ajv.compile(schemas[3004]),
    6003: ajv.compile(schemas[6003]),
  };
  return (event) => {
    const check = checks[event.class_uid];
    return check(event)
      ? []
      : (check.errors ?? []).map((fault) => `${fault.instancePath} ${fault.message ?? ""}`);
  };
}
