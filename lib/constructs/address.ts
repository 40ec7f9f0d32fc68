import { type TerraformElement, TerraformStack } from "cdktf";
import type { Construct, IConstruct } from "constructs";

/**
 * Terraform addresses are an API: state, `moved` blocks and people's fingers hold them. Left alone, cdktf
 * derives them from the construct tree with a hash, so moving a class renames resources, and drops odd
 * characters, so `a.b` and `ab` become one resource without an error. Here an address is made of what the user
 * wrote: the ids of the user's own constructs and the resource's word,
 * `aws_secretsmanager_secret.secrets_db--app-primary`.
 */

const HIDES_BELOW = Symbol.for("cdktf-secrets-registry.hides-ids-below");
const TAKEN = Symbol.for("cdktf-secrets-registry.addresses");

/**
 * Ids of constructs below this one take no part in addresses: they group resources inside this library, and may
 * change. Called by a construct that makes others of ours, before it makes them.
 */
export function hideIdsBelow(scope: IConstruct): void {
  Object.defineProperty(scope, HIDES_BELOW, { value: true });
}

/** The part of a name that cdktf keeps in a Terraform identifier. */
const kept = (id: string): string => id.replaceAll("/", "--").replace(/[^A-Za-z0-9_-]/g, "");

/** Ids of the user's constructs from the stack (exclusive) down to a scope. */
function userIds(scope: IConstruct): string[] {
  const path = scope.node.scopes;
  const below = path.slice(path.findIndex((ancestor) => TerraformStack.isStack(ancestor)) + 1);
  const last = below.findIndex((ancestor) => HIDES_BELOW in ancestor);
  return (last < 0 ? below : below.slice(0, last + 1)).map((ancestor) => kept(ancestor.node.id));
}

/** Thrown when two resources would get one address: Terraform would keep only the last, in silence. */
export class AddressCollisionError extends Error {
  override readonly name = "AddressCollisionError";

  constructor(address: string, first: string, second: string) {
    super(
      `${second}: the Terraform address ${address} is taken by ${first}. Give one of the two constructs another id: ` +
        "ids that differ only in characters which Terraform does not take become the same.",
    );
  }
}

/**
 * Gives a resource its address: the user's construct ids, then `word`.
 *
 * @param word that distinguishes the resource from its siblings of the same type: a secret's word, a region
 * @throws AddressCollisionError when the stack has a resource of that type and name
 */
export function setAddress<T extends TerraformElement & { readonly terraformResourceType: string }>(
  scope: Construct,
  resource: T,
  word?: string,
): T {
  const name = [...userIds(scope), ...(word === undefined ? [] : [kept(word)])].join("_");
  const address = `${resource.terraformResourceType}.${name}`;
  const stack = TerraformStack.of(scope) as TerraformStack & { [TAKEN]?: Map<string, string> };
  stack[TAKEN] ??= new Map();
  const holder = stack[TAKEN].get(address);
  if (holder !== undefined) throw new AddressCollisionError(address, holder, resource.node.path);
  stack[TAKEN].set(address, resource.node.path);
  resource.overrideLogicalId(name);
  return resource;
}

/** The address that `setAddress` gives a resource of a type, for `moved` blocks. */
export const addressOf = (scope: Construct, resourceType: string, word: string): string =>
  `${resourceType}.${[...userIds(scope), kept(word)].join("_")}`;
