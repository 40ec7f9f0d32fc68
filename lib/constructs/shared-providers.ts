import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { UnknownNameError } from "../model";

/** Kinds of place that a provider reaches, each place by a provider of its own. */
export type PlaceKind = "AWS account" | "Vault" | "cluster";

/** Property of `providers` that names the provider of a place. */
const PROPERTY: Readonly<Record<PlaceKind, string>> = {
  "AWS account": "aws",
  Vault: "vault",
  cluster: "kubernetes",
};

/** A place that a construct's resources go to. */
interface Place {
  /** Name in the registry. */
  readonly name: string;
  /** Account or address: two constructs that name the same one mean the same place. */
  readonly identity: string;
}

/** Thrown at construction where resources of several places would go to one of them by the stack's default provider. */
export class SharedProviderError extends Error {
  override readonly name = "SharedProviderError";

  constructor(where: string, found: string, change: string) {
    super(
      `${where}\n  found:   ${found}\n  allowed: one place for each provider; without one Terraform takes the stack's ` +
        `default, so that all of them would silently go to the same place\n  change:  ${change}`,
    );
  }
}

const DEFAULTS = Symbol.for("cdktf-secrets-registry.default-providers");
/** Places by kind that the stack's default provider is left to reach, with the construct that leaves it. */
type Defaults = Map<PlaceKind, { readonly path: string; readonly place: Place }>;

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

/** `{ "prod-one": …, "prod-two": … }` */
const example = (names: readonly string[]): string => `{ ${names.map((name) => `"${name}": …`).join(", ")} }`;

/**
 * Providers of the places of one kind that a construct holds.
 *
 * @param given the construct's `providers` of this kind, by name
 * @throws SharedProviderError where several places are without one each, or another construct of the stack has left
 *   another place to the default provider
 * @throws UnknownNameError for a name that the environment does not have
 */
export function providersOf<P extends object>(
  scope: Construct,
  kind: PlaceKind,
  places: readonly Place[],
  given: Readonly<Record<string, P>> = {},
): Readonly<Record<string, P>> {
  const names = places.map(({ name }) => name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UnknownNameError(`${kind}, in providers.${PROPERTY[kind]},`, unknown, names);
  const missing = places.filter(({ name }) => !given[name]);
  refuseOneForSeveral(scope, kind, names, given);
  if (places.length > 1 && missing.length > 0)
    throw new SharedProviderError(
      `${scope.node.path}.providers.${PROPERTY[kind]}`,
      `${places.length} of kind ${kind} (${quoted(names)}), and no provider for ${quoted(missing.map(({ name }) => name))}`,
      `providers: { ${PROPERTY[kind]}: ${example(names)} }, each a provider with an alias of its own; or take one by ` +
        `parts and have a stack for each`,
    );
  for (const place of missing) leaveToDefault(scope, kind, place);
  return given;
}

/** One provider under two names reaches one place, whatever it is called. */
function refuseOneForSeveral(
  scope: Construct,
  kind: PlaceKind,
  names: readonly string[],
  given: Readonly<Record<string, object>>,
): void {
  for (const [index, name] of names.entries()) {
    const twin = names.slice(0, index).find((other) => given[other] && given[other] === given[name]);
    if (twin !== undefined)
      throw new SharedProviderError(
        `${scope.node.path}.providers.${PROPERTY[kind]}`,
        `one provider for ${quoted([twin, name])}`,
        `providers: { ${PROPERTY[kind]}: ${example([twin, name])} }, each a provider with an alias of its own`,
      );
  }
}

/** Two constructs of a stack share its default provider, which is right where both mean the same place. */
function leaveToDefault(scope: Construct, kind: PlaceKind, place: Place): void {
  const stack = TerraformStack.of(scope) as TerraformStack & { [DEFAULTS]?: Defaults };
  stack[DEFAULTS] ??= new Map();
  const earlier = stack[DEFAULTS].get(kind);
  if (earlier && earlier.place.identity !== place.identity)
    throw new SharedProviderError(
      `${scope.node.path}.providers.${PROPERTY[kind]}`,
      `no provider for the ${kind} "${place.name}", nor for "${earlier.place.name}" of ${earlier.path} in the same stack`,
      kind === "AWS account"
        ? "providers: { aws: … } for both constructs, each a provider with an alias of its own; or a stack for each"
        : `providers: { ${PROPERTY[kind]}: ${example([place.name])} } here, and likewise for ${earlier.path}; or a stack for each`,
    );
  stack[DEFAULTS].set(kind, { path: scope.node.path, place });
}
