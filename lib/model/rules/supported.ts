import { formatDuration } from "../duration";
import type { ParsedEnvironment } from "../environment-definition";
import { type Fault, fault, type PathStep } from "../faults";
import { traitsOf } from "../kinds";
import type { EnvironmentSecret } from "../resolve";
import { forEnvironments, type RuleContext } from "./context";

/** Ways to keep PostgreSQL logins, by store. The first is the default. */
export const LOGINS = {
  aws: ["alternating"],
  vault: ["dynamic", "static"],
} as const;

/**
 * Ways in which pods prove who they are, to AWS and to Vault. Everything in it is tested; anything else is a fault.
 */
export const IDENTITIES = {
  irsa: { vaultAuth: ["kubernetes", "jwt"], oidcProvider: ["create", "reference"] },
  "pod-identity": { vaultAuth: ["kubernetes", "jwt"], oidcProvider: ["reference"] },
} as const;

/** Path at which the author wrote the rotation of an environment. */
function rotationPath(context: RuleContext, secret: EnvironmentSecret): readonly PathStep[] {
  return context.parsed.secrets.get(secret.key)?.environments[secret.environment]?.rotation
    ? ["secrets", secret.key, "environments", secret.environment, "rotation"]
    : ["secrets", secret.key, "rotation"];
}

function secretFaults(context: RuleContext, secret: EnvironmentSecret): readonly Fault[] {
  const traits = traitsOf(secret.kind);
  const at = (...steps: string[]): string[] => ["secrets", secret.key, ...steps];
  const faults: Fault[] = [];
  if (!traits.stores.includes(secret.store)) {
    faults.push(
      fault(
        at("store"),
        JSON.stringify(secret.store),
        `${traits.stores.join(" or ")} for kind ${secret.kind}`,
        "choose a store that can rotate this kind",
      ),
    );
  }
  if (!traits.acceptedBy.includes(secret.acceptedBy)) {
    faults.push(
      fault(
        at("acceptedBy"),
        JSON.stringify(secret.acceptedBy),
        `${traits.acceptedBy.join(" or ")} for kind ${secret.kind}`,
        "remove it: the kind knows who accepts it",
      ),
    );
  }
  if (!traits.rotation.includes(secret.rotation)) {
    faults.push(
      fault(
        rotationPath(context, secret),
        JSON.stringify(secret.rotation),
        `${traits.rotation.join(" or ")} for kind ${secret.kind}`,
        "choose one of them",
      ),
    );
  }
  faults.push(...loginFaults(secret, at));
  return faults;
}

function loginFaults(secret: EnvironmentSecret, at: (...steps: string[]) => string[]): readonly Fault[] {
  if (secret.kind !== "postgresql-user") return [];
  const { login, writerHost, ttl, maxTtl } = secret.settings;
  const logins: readonly string[] = LOGINS[secret.store];
  const faults: Fault[] = [];
  if (login !== undefined && !logins.includes(login)) {
    faults.push(
      fault(
        at("settings", "login"),
        JSON.stringify(login),
        `${logins.join(" or ")} with store ${secret.store}`,
        "choose one of them, or the other store",
      ),
    );
  }
  if (secret.acceptedBy !== (login === "static" ? "single-slot" : "target")) {
    faults.push(
      fault(
        at("acceptedBy"),
        `${JSON.stringify(secret.acceptedBy)} with login ${JSON.stringify(login)}`,
        login === "static"
          ? "single-slot: a static role has one password"
          : "target: the database knows both logins at once",
        "remove it, or choose another login",
      ),
    );
  }
  if (writerHost !== undefined && secret.store === "aws") {
    faults.push(
      fault(
        at("settings", "writerHost"),
        JSON.stringify(writerHost),
        "a writer's host with store vault only: with store aws the login is made on `host`",
        "remove it, and let `host` be the writer",
      ),
    );
  }
  if (ttl.seconds > maxTtl.seconds) {
    faults.push(
      fault(
        at("settings", "ttl"),
        formatDuration(ttl),
        `at most maxTtl, ${formatDuration(maxTtl)}`,
        "shorten ttl, or lengthen maxTtl",
      ),
    );
  }
  const LONGEST_LEASE = 32 * 86_400;
  if (maxTtl.seconds > LONGEST_LEASE) {
    faults.push(
      fault(
        at("settings", "maxTtl"),
        formatDuration(maxTtl),
        "at most 32 days, Vault's own limit for leases",
        "shorten it",
      ),
    );
  }
  return faults;
}

function identityFaults(name: string, environment: ParsedEnvironment): readonly Fault[] {
  const supported = IDENTITIES[environment.identity];
  const oidcProviders: readonly string[] = supported.oidcProvider;
  return environment.clusters.flatMap((cluster, index) => {
    const path = ["environments", name, "clusters", index];
    const faults: Fault[] = [];
    if (!oidcProviders.includes(cluster.oidcProvider)) {
      faults.push(
        fault(
          [...path, "oidcProvider"],
          `${JSON.stringify(cluster.oidcProvider)}, with identity ${environment.identity}`,
          "no OIDC provider: Pod Identity uses none",
          "remove it",
        ),
      );
    }
    return faults;
  });
}

/** Combinations outside the tables of what is supported and tested. */
export const unsupported = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (name, environment, secrets) => [
    ...identityFaults(name, environment),
    ...secrets.flatMap((secret) => [
      ...secretFaults(context, secret),
      ...(secret.store === "vault" && environment.vaults.length === 0 ? [withoutVault(secret)] : []),
    ]),
  ]);

const withoutVault = ({ key, environment }: EnvironmentSecret): Fault =>
  fault(
    ["secrets", key, "store"],
    `"vault", and ${environment} has no Vault`,
    "a store that the environment has",
    `set secrets[${JSON.stringify(key)}].environments.${environment} to { presence: "absent" }, or add a Vault to environments.${environment}.vaults`,
  );
