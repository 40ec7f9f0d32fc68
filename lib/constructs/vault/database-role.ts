import { DatabaseSecretBackendRole } from "@cdktf/provider-vault/lib/database-secret-backend-role";
import { DatabaseSecretBackendStaticRole } from "@cdktf/provider-vault/lib/database-secret-backend-static-role";
import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { DatabaseRolePlan } from "../../blueprint";
import { setAddress } from "../address";
import { literalText } from "../literal-text";

/** Input of {@link DatabaseRole}. */
export interface DatabaseRoleProps {
  /** The role as the blueprint has it: one of `database.roles`. */
  readonly plan: DatabaseRolePlan;
  /** Path of the database engine. */
  readonly mount: string;
  /** The connection, if this stack makes it. @default it exists */
  readonly connection?: ITerraformDependable;
  /** Distinguishes it from other Vaults' in the Terraform address. @default the role's name */
  readonly word?: string;
  /** @default the stack's own Vault provider */
  readonly provider?: VaultProvider;
}

/**
 * The role from which consumers read a Vault-owned database user: a new short-lived user each, or the one login whose password
 * Vault changes. A static role is changed when it is made, so from then on nobody else knows the password.
 *
 * @example
 * const [database] = blueprint(registry, "prod").vaults[0].databases;
 * for (const plan of database.roles) new DatabaseRole(stack, plan.name, { plan, mount: database.mount });
 */
export class DatabaseRole extends Construct {
  constructor(scope: Construct, id: string, { plan, mount, connection, word, provider }: DatabaseRoleProps) {
    super(scope, id);
    const common = {
      ...(provider ? { provider } : {}),
      ...(connection ? { dependsOn: [connection] } : {}),
      backend: mount,
      name: plan.name,
      dbName: plan.connection,
    };
    const address = word ?? plan.name;
    if (plan.login === "static") {
      setAddress(
        this,
        new DatabaseSecretBackendStaticRole(this, "static", {
          ...common,
          username: plan.username,
          rotationPeriod: plan.rotateEvery.seconds,
        }),
        address,
      );
      return;
    }
    setAddress(
      this,
      new DatabaseSecretBackendRole(this, "dynamic", {
        ...common,
        creationStatements: plan.creationStatements.map(literalText),
        renewStatements: plan.renewStatements.map(literalText),
        revocationStatements: plan.revocationStatements.map(literalText),
        defaultTtl: plan.ttl.seconds,
        maxTtl: plan.maxTtl.seconds,
      }),
      address,
    );
  }
}
