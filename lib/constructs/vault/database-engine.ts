import { Mount } from "@cdktf/provider-vault/lib/mount";
import type { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { DatabasePlan } from "../../blueprint";
import { hideIdsBelow, setAddress } from "../address";
import { DatabaseConnection } from "./database-connection";
import { DatabaseRole } from "./database-role";

/** Input of {@link DatabaseEngine}. */
export interface DatabaseEngineProps {
  /** The engine as the blueprint has it: one of `plan.databases`. */
  readonly plan: DatabasePlan;
  /** Prefix that distinguishes its parts from other Vaults' in Terraform addresses. @default none */
  readonly vault?: string;
  /** @default the stack's own Vault provider */
  readonly provider?: VaultProvider;
}

/**
 * The database engine of an environment in one Vault: mount, connections and roles. Before a role or the whole engine
 * goes, its leases must (`vault lease revoke -prefix database-prod/creds/db--reporting-ro`): without its connection Vault
 * cannot drop their users, and keeps the mount.
 *
 * @example
 * for (const plan of blueprint(registry, "prod").vaults[0].databases) new DatabaseEngine(stack, plan.mount, { plan });
 */
export class DatabaseEngine extends Construct {
  constructor(scope: Construct, id: string, { plan, vault, provider }: DatabaseEngineProps) {
    super(scope, id);
    hideIdsBelow(this);
    const common = provider ? { provider } : {};
    const word = (name: string): string => (vault === undefined ? name : `${vault}--${name}`);
    const connections = new Map<string, ITerraformDependable>();
    const engine = setAddress(
      this,
      new Mount(this, "mount", {
        ...common,
        path: plan.mount,
        type: "database",
        description: "Database users that Vault makes or rotates",
        ...(plan.preventDestroy ? { lifecycle: { preventDestroy: true } } : {}),
      }),
      word(plan.mount),
    );
    for (const connection of plan.connections) {
      const made = new DatabaseConnection(this, `connection-${connection.name}`, {
        ...common,
        plan: connection,
        mount: plan.mount,
        preventDestroy: plan.preventDestroy,
        engine,
        word: word(connection.name),
      });
      connections.set(connection.name, made.connection);
    }
    for (const role of plan.roles) {
      const connection = connections.get(role.connection);
      new DatabaseRole(this, `role-${role.name}`, {
        ...common,
        plan: role,
        mount: plan.mount,
        word: word(role.name),
        ...(connection ? { connection } : {}),
      });
    }
  }
}
