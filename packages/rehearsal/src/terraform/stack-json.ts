import * as z from "zod/mini";

const Block = z.looseObject({});

/** A resource in Terraform's JSON, as far as a rehearsal reads it. */
const Resource = z.looseObject({ provider: z.optional(z.string()), lifecycle: z.optional(Block) });

/** https://developer.hashicorp.com/terraform/language/syntax/json */
const StackJson = z.looseObject({
  terraform: z.looseObject({
    required_providers: z.record(z.string(), z.looseObject({ source: z.string(), version: z.string() })),
  }),
  provider: z.record(z.string(), z.array(z.looseObject({ alias: z.optional(z.string()) }))),
  resource: z.record(z.string(), z.record(z.string(), Resource)),
  moved: z.optional(z.array(z.looseObject({ to: z.string() }))),
});

/** A synthesized stack. */
export type StackJson = z.infer<typeof StackJson>;
/** A resource of a stack. */
export type ResourceJson = z.infer<typeof Resource>;

/** Reads the file of a synthesized stack. */
export const parseStack = (text: string): StackJson => StackJson.parse(JSON.parse(text));

/** Local name of the provider that a type of resources belongs to: `aws` of `aws_kms_key`. */
const providerOf = (type: string): string => type.slice(0, type.indexOf("_"));

/**
 * A stack without some providers and all that belongs to them. AWS, Vaults and clusters never refer to each other, so
 * what remains is whole.
 *
 * @param providers local names: `kubernetes`
 */
export function withoutProviders(stack: StackJson, providers: readonly string[]): StackJson {
  const stays = (provider: string): boolean => !providers.includes(provider);
  const kept = <T>(record: Readonly<Record<string, T>>, provider: (name: string) => string) =>
    Object.fromEntries(Object.entries(record).filter(([name]) => stays(provider(name))));
  return {
    ...stack,
    terraform: {
      ...stack.terraform,
      required_providers: kept(stack.terraform.required_providers, (name) => name),
    },
    provider: kept(stack.provider, (name) => name),
    resource: kept(stack.resource, providerOf),
    ...(stack.moved ? { moved: stack.moved.filter(({ to }) => stays(providerOf(to))) } : {}),
  };
}

/** Number of resources of a stack. */
export const resourceCount = ({ resource }: StackJson): number =>
  Object.values(resource).reduce((sum, ofType) => sum + Object.keys(ofType).length, 0);

/** All resources of one type, by name. */
export const resourcesOf = (stack: StackJson, type: string): readonly (readonly [string, ResourceJson])[] =>
  Object.entries(stack.resource[type] ?? {});
