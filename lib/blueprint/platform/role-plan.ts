import type { Fault } from "../../model/faults";
import { RegistryError } from "../../model/faults";
import { fitName } from "../../model/names";
import {
  compactLength,
  type PolicyDocument,
  type PolicyStatement,
  policyDocument,
} from "../../model/policy-document";
import type { AccountScope } from "./aws-arns";
import type { Tags } from "./tags";

/** All inline policies of a role together (IAM quota; white space does not count). */
const INLINE_LIMIT = 10_240;
/** One managed policy (IAM quota). */
export const MANAGED_LIMIT = 6_144;
/** Managed policies that a role may have by default (IAM quota). */
export const MANAGED_PER_ROLE = 10;

/** An IAM role. */
export interface RolePlan {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly trust: PolicyDocument;
  readonly policies: RolePolicies;
  readonly permissionsBoundary?: string;
  readonly tags: Tags;
}

/** Account in which a role is made, with its path and its boundary. */
export interface RolePlace extends AccountScope {
  readonly rolePath: string;
  readonly permissionsBoundary?: string | undefined;
}

/** A policy with its name. */
export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/**
 * Policies of a role. Inline while it fits: such a policy lives and dies with its role and can be attached to nothing
 * else. Beyond that, managed policies of legal size.
 */
export interface RolePolicies {
  readonly inline: readonly NamedPolicy[];
  readonly managed: readonly NamedPolicy[];
}

/** Statements of a role, before they are split into policies. */
export interface RolePoliciesInput {
  readonly roleName: string;
  /** Name of the inline policy: `read-secrets`. */
  readonly inlineName: string;
  /** Word in the names of managed policies: `<role>-read-1`. */
  readonly managedWord: string;
  readonly statements: readonly PolicyStatement[];
  /** Fault for statements that ten managed policies do not hold. */
  readonly overflow: (policies: number) => Fault;
}

/**
 * Fits statements into IAM's size limits. A statement that is too long for one managed policy is split by its
 * resources.
 *
 * @throws RegistryError when ten managed policies do not hold them
 */
export function rolePolicies(input: RolePoliciesInput): RolePolicies {
  const { statements, roleName, inlineName, managedWord } = input;
  if (statements.length === 0) return { inline: [], managed: [] };
  const whole = policyDocument(...statements);
  if (compactLength(whole) <= INLINE_LIMIT) {
    return { inline: [{ name: inlineName, document: whole }], managed: [] };
  }
  const isLong = (statement: PolicyStatement): boolean =>
    compactLength(policyDocument(statement)) > MANAGED_LIMIT;
  const documents = [
    ...packedDocuments(statements.filter((statement) => !isLong(statement))),
    ...statements.filter(isLong).flatMap(splitByResource),
  ];
  if (documents.length > MANAGED_PER_ROLE) throw new RegistryError([input.overflow(documents.length)]);
  return {
    inline: [],
    managed: documents.map((document, index) => ({
      name: fitName(`${roleName}-${managedWord}-${index + 1}`, 128),
      document,
    })),
  };
}

/** Statements together in as few policies as their order allows. */
export function packedDocuments(statements: readonly PolicyStatement[]): PolicyDocument[] {
  const documents: PolicyDocument[] = [];
  for (const statement of statements) {
    const last = documents.at(-1);
    const joined = last && policyDocument(...last.Statement, statement);
    if (joined && compactLength(joined) <= MANAGED_LIMIT) documents[documents.length - 1] = joined;
    else documents.push(policyDocument(statement));
  }
  return documents;
}

/** Greedy split in the order of the resources, so that a new one changes only the policies from its place on. */
function splitByResource(statement: PolicyStatement): PolicyDocument[] {
  const withResources = (resources: readonly string[]): PolicyDocument =>
    policyDocument({ ...statement, Resource: resources });
  const empty = compactLength(withResources([]));
  const parts: string[][] = [];
  let current: string[] = [];
  let length = empty;
  for (const resource of statement.Resource ?? []) {
    const cost = JSON.stringify(resource).length + 1;
    if (current.length > 0 && length + cost > MANAGED_LIMIT) {
      parts.push(current);
      current = [];
      length = empty;
    }
    current.push(resource);
    length += cost;
  }
  if (current.length > 0) parts.push(current);
  return parts.map(withResources);
}
