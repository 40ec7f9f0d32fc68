import type * as z from "zod/mini";
import { form, matches } from "./text-grammar";

/** Forms of AWS's names: accounts, regions, ARNs, tags. */

/** Twelve digits. */
export const accountId = form(matches(/^\d{12}$/), {
  allowed: "a 12-digit AWS account id, as a string",
  change: "write the account's id with its leading zeros, in quotes",
});

/**
 * An AWS region's shape. The list of regions grows, so the parts are checked rather than a list
 * (AWS's own partition data does the same), with the compass words spelt out to catch a typing slip.
 */
const REGION =
  /^(af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov|eusc-de)-(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9]$/;

/** An AWS region such as `eu-central-1`. */
export const regionName = form(matches(REGION), {
  allowed: "an AWS region such as eu-central-1",
  change: "use the region's code name",
});

const PRINCIPAL =
  /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):iam::(\d{12}):(role|user)\/([\w+=,.@-]+\/)*[\w+=,.@-]+$/;

/** The ARN of one IAM role or user, without wildcards. */
export const principalArn = form(matches(PRINCIPAL), {
  allowed:
    "the ARN of one IAM role or user, such as arn:aws:iam::111122223333:role/deployer, without wildcards",
  change: "name the role or user itself; an SSO role has a fixed ARN in each account",
});

const POLICY = /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):iam::(\d{12}|aws):policy\/([\w+=,.@-]+\/)*[\w+=,.@-]+$/;

/** The ARN of a managed policy: what a permissions boundary is. */
export const policyArn = form(matches(POLICY), {
  allowed: "the ARN of an IAM policy, such as arn:aws:iam::111122223333:policy/boundary",
  change: "name the policy by its ARN",
});

const SIGNING_PROFILE =
  /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):signer:[a-z]{2}(-[a-z]+)+-\d:\d{12}:\/signing-profiles\/\w{2,64}\/\w{10}$/;

/** ARN of a version of a signing profile of AWS Signer. */
export const signingProfileVersionArn = form(matches(SIGNING_PROFILE), {
  allowed:
    "the ARN of a version of a signing profile, such as arn:aws:signer:eu-central-1:111122223333:/signing-profiles/secrets/AbCdEf1234",
  change: "name the profile's version by its ARN (aws signer get-signing-profile)",
});

/** The parts of an IAM role's or user's ARN. */
export interface PrincipalParts {
  readonly partition: string;
  readonly account: string;
  readonly type: "role" | "user";
  /** Name without its path. */
  readonly name: string;
}

/** Takes an IAM role or user ARN apart; `undefined` when it is none. */
export function parsePrincipal(arn: string): PrincipalParts | undefined {
  const match = PRINCIPAL.exec(arn);
  if (!match?.[1] || !match[2]) return undefined;
  return {
    partition: match[1],
    account: match[2],
    type: match[3] === "user" ? "user" : "role",
    name: arn.slice(arn.lastIndexOf("/") + 1),
  };
}

/** IAM's own grammar for paths; ours are the printable subset that needs no escaping anywhere. */
export const iamPath = form(matches(/^\/([\w+=,.@-]+\/)*$/), {
  allowed: "an IAM path that begins and ends with /, such as /secrets/prod/",
  change: "begin and end the path with a slash",
});

/** `true` for a key that ends in `-` and six characters (docs/explanation/architecture.md, decision 8). */
export const looksLikeArnSuffix = (key: string): boolean => /-.{6}$/.test(key);

/** An ID that EC2 gave, such as `subnet-0a1b2c3d4e5f60718`. */
export const ec2Id = (prefix: "subnet" | "sg"): z.ZodMiniType<string, string> =>
  form(matches(new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`)), {
    allowed: `an ID such as ${prefix}-0a1b2c3d4e5f60718`,
    change: "use the ID, not the name or the ARN",
  });

/** Text that AWS takes as a tag's value: it becomes one. */
export const tagText = form(matches(/^(?=.*\S)[\p{L}\p{N} _.:/=+@-]{1,256}$/u), {
  allowed: "letters, digits, spaces and _ . : / = + - @, at most 256 characters, as AWS tags take them",
  change: "leave out other characters: it becomes a tag",
});

const EMAIL = /^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;

/** A person who asks, approves or signs: an e-mail address, or the ARN of an IAM role or user. */
export const person = form((value) => EMAIL.test(value) || PRINCIPAL.test(value), {
  allowed: "an e-mail address, or the ARN of an IAM role or user",
  change: "name the person, such as alice@example.com, or the role",
});

const SESSION = /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):sts::\d{12}:assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+$/;

const SERVICE = /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/;

/** An actor in AWS, as its audit trail says: a role's session, a user, a role, or a service. */
export const actorName = form(
  (value) => SESSION.test(value) || PRINCIPAL.test(value) || SERVICE.test(value),
  {
    allowed: "the ARN of an STS session, an IAM user or role, or the name of an AWS service",
    change: "take it from the audit trail",
  },
);

/** Description of a role as IAM takes it (API reference, CreateRole), in one line. */
export const iamDescription = form(matches(/^(?=.*\S)[\u0020-\u007E\u00A1-\u00FF]{1,256}$/), {
  allowed: "one line of Latin-1 text, at most 256 characters, as IAM takes descriptions",
  change: "leave out other characters, such as long dashes and curly quotes",
});

const SECRET_ARN =
  /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]{1,505}-[A-Za-z0-9]{6}$/;

/** The whole ARN of a secret, as Secrets Manager gives it. */
export const secretArn = form(matches(SECRET_ARN), {
  allowed:
    "the whole ARN of a secret, such as arn:aws:secretsmanager:eu-central-1:111122223333:secret:siem/splunk-AbCdEf",
  change: "take it from aws secretsmanager describe-secret",
});

/** The ARN of a delivery stream. */
export const firehoseArn = form(
  matches(/^arn:(aws|aws-cn|aws-us-gov|aws-eusc):firehose:[a-z0-9-]+:\d{12}:deliverystream\/[\w.-]{1,64}$/),
  {
    allowed:
      "the ARN of a delivery stream, such as arn:aws:firehose:eu-central-1:111122223333:deliverystream/siem",
    change: "take it from aws firehose describe-delivery-stream",
  },
);
