import fc from "fast-check";

/** Policies of one secret or key and of one role, in the grammar that both the engine and the evaluator know. */
export interface PolicySide {
  readonly identity: readonly object[];
  readonly resource: object | undefined;
}

export const ACCOUNT = "111122223333";
const role = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;
/** Caller of every request. */
export const CALLER = role("app/reader");
export const REGION = "eu-central-1";
export const FAMILY = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:prod/db/app-??????`;

export const ACTIONS = [
  "secretsmanager:GetSecretValue",
  "secretsmanager:PutSecretValue",
  "secretsmanager:UpdateSecret",
] as const;

const some = <T>(values: readonly T[], most = 3) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: most });

const actions = some(
  [...ACTIONS, "secretsmanager:*", "secretsmanager:Get*", "*", "SecretsManager:PUT*", "kms:Decrypt"],
  2,
);

const resources = some(
  [
    "*",
    FAMILY,
    FAMILY.replace(REGION, "*"),
    FAMILY.replace("-??????", "-*"),
    FAMILY.replace("??????", "AbC???"),
    FAMILY.replace("??????", "A*"),
    FAMILY.replace("db/app", "*"),
    FAMILY.replace("prod/db", "prod/d?"),
    FAMILY.replace("app", "web"),
    "arn:aws:kms:*:*:key/*",
  ],
  2,
);

/** Condition keys with texts that a policy may want of them. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  "aws:RequestedRegion": [REGION, "eu-*", "us-east-1"],
  "aws:SourceVpce": ["vpce-1", "vpce-2", "vpce-*"],
  "secretsmanager:VersionStage": ["AWSCURRENT", "AWSPREVIOUS", "AWS*", "AWSPENDING"],
  "aws:PrincipalTag/team": ["a", "b", "a?", "*"],
};

const MANY_KEYS: Readonly<Record<string, readonly string[]>> = {
  "aws:TagKeys": ["team", "owner", "o*", "cost"],
};

const PRINCIPALS = [CALLER, role("app/other"), role("app/*"), "arn:aws:iam::*:role/app/reader", role("*er")];

const oneCondition = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "StringLikeIfExists",
        "StringNotEqualsIfExists",
      ),
      fc.constantFrom(...Object.keys(KEYS)),
    )
    .chain(([operator, key]) => some(KEYS[key] ?? []).map((values) => ({ [operator]: { [key]: values } }))),
  fc
    .tuple(fc.constantFrom("ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals"), some(PRINCIPALS))
    .map(([operator, values]) => ({ [operator]: { "aws:PrincipalArn": values } })),
  fc
    .tuple(fc.constantFrom(...Object.keys(KEYS), ...Object.keys(MANY_KEYS)), fc.constantFrom("true", "false"))
    .map(([key, value]) => ({ Null: { [key]: [value] } })),
  fc
    .tuple(
      fc.constantFrom(
        "ForAllValues:StringEquals",
        "ForAllValues:StringNotEquals",
        "ForAllValues:StringLike",
        "ForAnyValue:StringEquals",
        "ForAnyValue:StringLike",
        "ForAnyValue:StringNotEquals",
      ),
      fc.constantFrom(...Object.keys(MANY_KEYS)),
    )
    .chain(([operator, key]) =>
      some(MANY_KEYS[key] ?? []).map((values) => ({ [operator]: { [key]: values } })),
    ),
);

const condition = fc.array(oneCondition, { maxLength: 2 }).map((parts) => {
  const joined: Record<string, object> = {};
  for (const part of parts) {
    for (const [operator, keys] of Object.entries(part)) joined[operator] = { ...joined[operator], ...keys };
  }
  return Object.keys(joined).length === 0 ? {} : { Condition: joined };
});

const what = fc
  .tuple(fc.boolean(), fc.boolean(), actions, resources)
  .map(([notAction, notResource, Action, Resource]) => ({
    ...(notAction && Action[0] !== "*" ? { NotAction: Action } : { Action }),
    ...(notResource ? { NotResource: Resource } : { Resource }),
  }));

const plainWhat = fc.tuple(actions, resources).map(([Action, Resource]) => ({ Action, Resource }));

const statement = fc
  .tuple(
    fc.constantFrom("Allow", "Allow", "Deny"),
    fc.oneof({ weight: 3, arbitrary: plainWhat }, { weight: 1, arbitrary: what }),
    condition,
  )
  .map(([Effect, about, conditions]) => ({ Sid: "S", Effect, ...about, ...conditions }));

const onResource = fc
  .tuple(
    fc.constantFrom("Allow", "Deny", "Deny"),
    fc.constantFrom<unknown>(
      "*",
      { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      { AWS: CALLER },
      { AWS: role("app/other") },
    ),
    actions,
    condition,
  )
  .map(([Effect, Principal, Action, conditions]) => ({
    Sid: "R",
    Effect,
    Principal,
    Action,
    Resource: ["*"],
    ...conditions,
  }));

const documentOf = (Statement: readonly object[]) => ({ Version: "2012-10-17", Statement });

/** Policies of one side. */
const anySide: fc.Arbitrary<PolicySide> = fc.record({
  identity: fc.array(statement, { minLength: 1, maxLength: 3 }).map((statements) => [documentOf(statements)]),
  resource: fc.option(fc.array(onResource, { minLength: 1, maxLength: 3 }).map(documentOf), {
    nil: undefined,
  }),
});

/** Two sides, alike but for some statements as often as not. */
export const anyPair: fc.Arbitrary<readonly [PolicySide, PolicySide]> = fc.oneof(
  fc.tuple(anySide, anySide),
  fc
    .tuple(anySide, statement)
    .map(([base, more]): [PolicySide, PolicySide] => [
      base,
      { ...base, identity: [...base.identity, documentOf([more])] },
    ]),
  fc
    .tuple(anySide, statement)
    .map(([head, more]): [PolicySide, PolicySide] => [
      { ...head, identity: [...head.identity, documentOf([more])] },
      head,
    ]),
  fc
    .tuple(anySide, onResource)
    .map(([base, more]): [PolicySide, PolicySide] => [base, { ...base, resource: documentOf([more]) }]),
);

const value = (texts: readonly string[]) =>
  fc.constantFrom(
    ...texts.map((text) => text.replace("*", "x").replace("?", "y")),
    ...texts.map((text) => text.replace("*", "").replace("?", "?")),
    "something else",
  );

/** A request near the edges of what the policies say. */
export const anyRequest = fc
  .record({
    action: fc.constantFrom(...ACTIONS),
    suffix: fc.constantFrom("AbCdef", "A12345", "zzzzzz", "abCdef"),
    context: fc.record(
      {
        "aws:SourceVpce": value(KEYS["aws:SourceVpce"] ?? []),
        "secretsmanager:VersionStage": value(KEYS["secretsmanager:VersionStage"] ?? []),
        "aws:PrincipalTag/team": value(KEYS["aws:PrincipalTag/team"] ?? []),
        "aws:TagKeys": fc.uniqueArray(value(MANY_KEYS["aws:TagKeys"] ?? []), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ action, suffix, context }) => ({
    action,
    resource: FAMILY.replace("??????", suffix),
    principal: CALLER,
    context: {
      ...Object.fromEntries(Object.entries(context).filter(([, found]) => String(found) !== "")),
      "aws:RequestedRegion": REGION,
    },
  }));
