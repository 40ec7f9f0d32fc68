import { DatabaseSecretBackendConnection } from "@cdktf/provider-vault/lib/database-secret-backend-connection";
import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { type ITerraformDependable, TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import type { DatabaseConnectionPlan } from "../../blueprint";
import { setAddress } from "../address";
import { literalText } from "../literal-text";

/** Input of {@link DatabaseConnection}. */
export interface DatabaseConnectionProps {
  /** The connection as the blueprint has it: one of `database.connections`. */
  readonly plan: DatabaseConnectionPlan;
  /** Path of the database engine. */
  readonly mount: string;
  /** Terraform refuses to destroy or replace it. @default false */
  readonly preventDestroy?: boolean;
  /** The engine, if this stack makes it. @default it exists */
  readonly engine?: ITerraformDependable;
  /** Distinguishes it from other Vaults' in the Terraform address. @default the connection's name */
  readonly word?: string;
  /** @default the stack's own Vault provider */
  readonly provider?: VaultProvider;
}

/**
 * The version of the first password. It never changes: Terraform sends a password only with a new version, and the one
 * that it knows is dead after the first rotation.
 */
const FIRST_PASSWORD = 1;

/**
 * A connection of the database engine. Its first password comes from an ephemeral variable (`plan.passwordVariable`)
 * and is sent when the connection is made, never again: it is in no plan and no state. Then the mirror's function has Vault
 * change it, and nobody but Vault knows it. Where Vault has lost it, `terraform apply -replace=<address>` gives a new one
 * (with the environment's `preventDestroy: false` for that apply, where Terraform refuses to replace it).
 *
 * @example
 * const [database] = blueprint(registry, "prod").vaults[0].databases;
 * for (const plan of database.connections) new DatabaseConnection(stack, plan.name, { plan, mount: database.mount });
 */
export class DatabaseConnection extends Construct {
  /** Resource that roles on this connection must wait for. */
  readonly connection: ITerraformDependable;

  constructor(
    scope: Construct,
    id: string,
    { plan, mount, preventDestroy = false, engine, word, provider }: DatabaseConnectionProps,
  ) {
    super(scope, id);
    const password = new TerraformVariable(this, "password", {
      type: "string",
      description: `First password of ${plan.username}, for ${plan.secret}; needed only when the connection is made`,
      sensitive: true,
      nullable: true,
    });
    password.overrideLogicalId(plan.passwordVariable);
    // Newer than the engine's own list of settings.
    password.addOverride("ephemeral", true);
    password.addOverride("default", null);
    this.connection = setAddress(
      this,
      new DatabaseSecretBackendConnection(this, "connection", {
        ...(provider ? { provider } : {}),
        ...(engine ? { dependsOn: [engine] } : {}),
        ...(preventDestroy ? { lifecycle: { preventDestroy } } : {}),
        backend: mount,
        name: plan.name,
        pluginName: plan.plugin,
        allowedRoles: [...plan.allowedRoles],
        postgresql: {
          connectionUrl: literalText(plan.url),
          username: plan.username,
          passwordWo: password.stringValue,
          passwordWoVersion: FIRST_PASSWORD,
          usernameTemplate: literalText(plan.usernameTemplate),
          passwordAuthentication: plan.passwordAuthentication,
          ...(plan.caPem ? { tlsCa: plan.caPem } : {}),
        },
      }),
      word ?? plan.name,
    );
  }
}
