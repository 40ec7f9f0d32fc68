/** A condition key that the embedded AWS is taught, so that policies can be written in AWS's form alone. */
export interface TaughtConditionKey {
  /** Value that AWS gives it. */
  readonly aws: string;
  readonly source: string;
  /** Value that the embedded AWS (ministack 1.5.33) gives it without this change. */
  readonly embedded: string;
}

/**
 * The keys by name. A test per entry shows that the server as it comes still lacks it, and that the taught one has it:
 * when the first fails after an upgrade, the entry and its lines below go.
 */
export const TAUGHT_CONDITION_KEYS = {
  "aws:PrincipalArn": {
    aws: "The ARN of the role, with its path, for an assumed role.",
    source:
      "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn",
    embedded:
      "The session's ARN, without the role's path: `arn:aws:sts::<account>:assumed-role/<role>/<session>`.",
  },
  "secretsmanager:VersionStage": {
    aws: "The staging label in a request of GetSecretValue or UpdateSecretVersionStage; absent where it names none.",
    source: "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html",
    embedded: "Always absent.",
  },
  "secretsmanager:VersionId": {
    aws: "The version's id in a request of GetSecretValue; absent where it names none.",
    source: "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html",
    embedded: "Always absent.",
  },
} as const satisfies Readonly<Record<string, TaughtConditionKey>>;

/** Name of a taught key. */
export type TaughtConditionKeyName = keyof typeof TAUGHT_CONDITION_KEYS;

/**
 * Starts the server with the keys taught: two functions of its policy engine (`core/iam_evaluator.py`,
 * `core/iam_actions.py`) get values to add, and nothing else of it changes. A server in which one of them is not found
 * does not start.
 */
export const TAUGHT_SERVER = `
import json, runpy
from ministack.core import iam_actions, iam_evaluator

resolve = iam_evaluator._resolve_condition_key

def resolve_with_role(key, ctx):
    value = resolve(key, ctx)
    if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(value):
        return value
    from ministack.services import iam
    name = iam_evaluator._role_name_from_assumed_arn(value)
    role = iam._roles.get_scoped(iam_evaluator._account_from_arn(value), None, name)
    return value if role is None else role["Arn"]

iam_evaluator._resolve_condition_key = resolve_with_role

NAMED = {
    "secretsmanager:GetSecretValue": ("VersionStage", "VersionId"),
    "secretsmanager:UpdateSecretVersionStage": ("VersionStage",),
}
tags = iam_actions.request_tag_context

def context_of(service, action, body, params):
    try:
        asked = json.loads(body) if action in NAMED else {}
    except ValueError:
        asked = {}
    keys = {"secretsmanager:" + name: asked[name] for name in NAMED.get(action, ()) if asked.get(name)}
    return {**tags(service, action, body, params), **keys}

iam_actions.request_tag_context = context_of
runpy.run_module("ministack", run_name="__main__", alter_sys=True)
`;
