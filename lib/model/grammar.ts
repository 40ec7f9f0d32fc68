import { createPublicKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import * as z from "zod/mini";
import type { Duration } from "./duration";

/**
 * The vocabulary of a registry: what an account id, a region, an ARN or a secret key looks like.
 * Every schema carries what is allowed and what to change, so that a fault can say both.
 *
 * What makes them is marked as free of side effects, by which a function's bundle leaves out those that it does not use.
 */

interface Advice {
  readonly allowed: string;
  readonly change: string;
}

// @__NO_SIDE_EFFECTS__
function text(test: (value: string) => boolean, advice: Advice): z.ZodMiniType<string, string> {
  return z.string().check(z.refine(test, { params: advice, message: advice.allowed }));
}

// @__NO_SIDE_EFFECTS__
function matches(pattern: RegExp): (value: string) => boolean {
  return (value) => pattern.test(value);
}

/** Twelve digits. */
export const accountId = text(matches(/^\d{12}$/), {
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
export const regionName = text(matches(REGION), {
  allowed: "an AWS region such as eu-central-1",
  change: "use the region's code name",
});

const PRINCIPAL =
  /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):iam::(\d{12}):(role|user)\/([\w+=,.@-]+\/)*[\w+=,.@-]+$/;

/** The ARN of one IAM role or user, without wildcards. */
export const principalArn = text(matches(PRINCIPAL), {
  allowed:
    "the ARN of one IAM role or user, such as arn:aws:iam::111122223333:role/deployer, without wildcards",
  change: "name the role or user itself; an SSO role has a fixed ARN in each account",
});

const POLICY = /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):iam::(\d{12}|aws):policy\/([\w+=,.@-]+\/)*[\w+=,.@-]+$/;

/** The ARN of a managed policy: what a permissions boundary is. */
export const policyArn = text(matches(POLICY), {
  allowed: "the ARN of an IAM policy, such as arn:aws:iam::111122223333:policy/boundary",
  change: "name the policy by its ARN",
});

const SIGNING_PROFILE =
  /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):signer:[a-z]{2}(-[a-z]+)+-\d:\d{12}:\/signing-profiles\/\w{2,64}\/\w{10}$/;

/** ARN of a version of a signing profile of AWS Signer. */
export const signingProfileVersionArn = text(matches(SIGNING_PROFILE), {
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
export const iamPath = text(matches(/^\/([\w+=,.@-]+\/)*$/), {
  allowed: "an IAM path that begins and ends with /, such as /secrets/prod/",
  change: "begin and end the path with a slash",
});

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

function parseUrl(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}

/** Characters that a URL has only when they are escaped; some mean something to Terraform or to a shell. */
const hasStrayCharacters = (value: string): boolean => /[^!-~]|["$<>\\^`{|}]/.test(value);

function isBare(url: URL): boolean {
  return url.search === "" && url.hash === "" && url.username === "" && url.password === "";
}

const isIssuer = (value: string): boolean => {
  const url = parseUrl(value);
  return url?.protocol === "https:" && isBare(url) && !hasStrayCharacters(value) && !/[?#]/.test(value);
};

/** An OpenID Connect issuer: https, no query, no trailing slash (AWS and Vault compare it as text). */
export const issuerUrl = text((value) => isIssuer(value) && !value.endsWith("/"), {
  allowed:
    "an https URL without query or trailing slash, such as https://token.actions.githubusercontent.com",
  change: "take the issuer as its tokens say it (claim `iss`)",
});

/** A cluster's issuer, character for character as its tokens say it: AKS's ends in a slash. */
export const clusterIssuerUrl = text(isIssuer, {
  allowed: "an https URL without query, such as https://oidc.eks.eu-central-1.amazonaws.com/id/ABCD",
  change: "take the issuer as the cluster publishes it (kubectl get --raw /.well-known/openid-configuration)",
});

/** A namespace of Vault or OpenBao: `teams/a`. Slashes around it mean nothing and go. */
export const vaultNamespace: z.ZodMiniType<string, string> = z.pipe(
  z.string().check(
    z.refine((value) => /^\/*[\w-]+(\/[\w-]+)*\/*$/.test(value), {
      params: {
        allowed: "a namespace such as teams/a",
        change: "write its path as the server lists it (vault namespace list)",
      },
      message: "namespace",
    }),
  ),
  z.transform((value: string) => value.replace(/^\/+|\/+$/g, "")),
);

/** The address of a server: https (http on loopback only), without path. */
export const serverAddress = text(
  (value) => {
    const url = parseUrl(value);
    if (!url || !isBare(url) || url.pathname !== "/" || value.endsWith("/")) return false;
    return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
  },
  {
    allowed:
      "an https URL of host and port only, such as https://vault.example.com:8200 (http on loopback only)",
    change: "give scheme, host and port, nothing after them",
  },
);

/** An https URL with any path, such as a webhook endpoint. */
export const webUrl = text(
  (value) => {
    const url = parseUrl(value);
    return (
      url !== undefined &&
      url.username === "" &&
      (url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname)))
    );
  },
  {
    allowed: "an https URL (http on loopback only)",
    change: "give the full https URL without user or password",
  },
);

/** The https URL of one resource, without query: a place that people take for credentials. */
export const resourceUrl = text(
  (value) => {
    const url = parseUrl(value);
    return url?.protocol === "https:" && isBare(url) && !hasStrayCharacters(value) && !/[?#]/.test(value);
  },
  {
    allowed: "an https URL without user, password, query and fragment",
    change: "give scheme, host and path only",
  },
);

/** The URL of a health check: what {@link webUrl} takes, without fragment or characters that need escaping. */
export const checkUrl = webUrl.check(
  z.refine((value) => !value.includes("#") && !hasStrayCharacters(value), {
    params: {
      allowed:
        "an https URL (http on loopback only) without fragment, white space, quotes, braces or dollar signs",
      change: "leave the fragment out, and write other characters as %XX",
    },
    message: "check URL",
  }),
);

/** Vault stores PEM without surrounding white space; kept, it would show as a change in every plan. */
// @__NO_SIDE_EFFECTS__
function trimmed(schema: z.ZodMiniType<string, string>): z.ZodMiniType<string, string> {
  return z.pipe(
    schema,
    z.transform((value) => value.trim()),
  );
}

/** One or more PEM certificates. Certificates are public; keys are refused. */
export const certificatePem = trimmed(
  text(
    (value) => {
      try {
        return new X509Certificate(value).raw.length > 0 && !value.includes("PRIVATE KEY");
      } catch {
        return false;
      }
    },
    {
      allowed: "a certificate in PEM form (-----BEGIN CERTIFICATE-----)",
      change: "paste the CA's certificate; never a private key",
    },
  ),
);

/** A public key in PEM. */
export const publicKeyPem = trimmed(
  text(
    (value) => {
      if (value.includes("PRIVATE KEY")) return false;
      try {
        return createPublicKey(value).type === "public";
      } catch {
        return false;
      }
    },
    {
      allowed: "a public key in PEM form (-----BEGIN PUBLIC KEY-----)",
      change: "paste the public key; never a private key",
    },
  ),
);

/** A host name or IP address, without scheme or port. */
export const hostName = text(
  matches(
    /^(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
  ),
  {
    allowed: "a host name or IPv4 address without scheme and port, such as db.prod.example.com",
    change: "name the host only; the port has its own setting",
  },
);

/** A TCP port. */
export const portNumber = z.int().check(z.gte(1), z.lte(65_535));

const SLUG = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Names of environments, workloads, Vaults and the registry itself: they become parts of AWS and Vault names. */
export const slug = text((value) => SLUG.test(value) && value.length <= 40, {
  allowed: "lower-case letters, digits and single hyphens, beginning with a letter, at most 40 characters",
  change: "choose a name of that form: it becomes part of role names, policy names and paths",
});

const SECRET_KEY = /^[a-z0-9]+(-[a-z0-9]+)*(\/[a-z0-9]+(-[a-z0-9]+)*)*$/;

/**
 * A secret key. AWS would allow more; this is what Secrets Manager, Vault paths, Terraform addresses
 * and file names all take without escaping. Secrets Manager itself warns against names that end in a
 * hyphen and six characters: a partial ARN of such a name reads like a complete one.
 */
export const secretKey = text((value) => SECRET_KEY.test(value) && value.length <= 200, {
  allowed:
    "lower-case letters, digits, single hyphens inside words, and / between words, at most 200 characters",
  change: "rename the key, such as db/app-primary",
});

/** `true` for a key that ends in `-` and six characters (docs/explanation/architecture.md, decision 8). */
export const looksLikeArnSuffix = (key: string): boolean => /-.{6}$/.test(key);

/** An ID that EC2 gave, such as `subnet-0a1b2c3d4e5f60718`. */
export const ec2Id = (prefix: "subnet" | "sg"): z.ZodMiniType<string, string> =>
  text(matches(new RegExp(`^${prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`)), {
    allowed: `an ID such as ${prefix}-0a1b2c3d4e5f60718`,
    change: "use the ID, not the name or the ARN",
  });

/** A network in CIDR form, of IPv4 or IPv6. */
export const cidr = text(
  (value) => {
    const [address = "", prefix = "", ...rest] = value.split("/");
    const version = isIP(address);
    return (
      version > 0 &&
      rest.length === 0 &&
      /^\d{1,3}$/.test(prefix) &&
      Number(prefix) <= (version === 4 ? 32 : 128)
    );
  },
  {
    allowed: "a network in CIDR form, such as 10.0.0.0/16",
    change: "write the address of the network and the length of its prefix",
  },
);

/** Stands for the secret's Vault path in a template: a word of its own, not part of a longer one. */
export const SECRET_PATH = /(?<!\w)SECRET_PATH(?!\w)/g;

const isDnsLabel = matches(/^(?=.{1,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);

/** A Kubernetes namespace: RFC 1123 label. */
export const dnsLabel = text(isDnsLabel, {
  allowed: "an RFC 1123 label: lower-case letters, digits, hyphens inside, at most 63 characters",
  change: "use the name as Kubernetes knows it",
});

/** A star stands for a part of a label between hyphens, or for its end. */
const hasOneStar = (value: string): boolean => /^[^*]+-\*(-[^*]+)?$/.test(value);

/** Pattern of an environment's namespaces. */
export const namespacePattern = text(
  (value) =>
    (value.includes("{namespace}") || value.includes("*")) &&
    (!value.includes("*") || hasOneStar(value)) &&
    isDnsLabel(value.replaceAll("{namespace}", "n").replaceAll("{environment}", "e").replace("*", "s")),
  {
    allowed:
      "a pattern with {namespace} and, if wanted, {environment} that makes RFC 1123 labels, such as {namespace}-{environment}; in development with * for preview environments, such as preview-*",
    change: "write it in that form, or leave it out",
  },
);

/** A Kubernetes namespace, or those of preview environments: `preview-*`. */
export const namespaceOrPattern = text(
  (value) => (!value.includes("*") || hasOneStar(value)) && isDnsLabel(value.replace("*", "s")),
  {
    allowed:
      "an RFC 1123 label: lower-case letters, digits, hyphens inside, at most 63 characters; in development with one * after a hyphen, such as preview-*",
    change: "use the name as Kubernetes knows it",
  },
);

/** A ServiceAccount's name: RFC 1123 subdomain. */
export const dnsSubdomain = text(
  matches(/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/),
  {
    allowed:
      "an RFC 1123 subdomain: lower-case letters, digits, hyphens and dots inside, at most 253 characters",
    change: "use the name as Kubernetes knows it",
  },
);

/** An EKS cluster's name. */
export const clusterName = text(matches(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/), {
  allowed: "an EKS cluster name: letters, digits, hyphens and underscores, at most 100 characters",
  change: "use the cluster's own name",
});

/**
 * A PostgreSQL name, which is quoted wherever it is used: PostgreSQL takes any character but NUL, in 63 bytes. Left out is
 * what other readers of it take for their own: control characters, and braces (Terraform's `${`, Vault's `{{`).
 */
export const postgresqlName = text(
  (value) => /^(?=\S)[^\p{C}{}]+(?<=\S)$/u.test(value) && new TextEncoder().encode(value).length <= 63,
  {
    allowed:
      "a PostgreSQL name of at most 63 bytes, without control characters, braces, and white space at its ends",
    change: "use the name as PostgreSQL shows it (\\du, \\l, \\dn), without quotes around it",
  },
);

/** The absolute path of a file on a server's disk, of characters that need no escaping in a URL. */
export const serverFilePath = text(matches(/^(\/[A-Za-z0-9._-]+)+$/), {
  allowed: "an absolute path of letters, digits, dots, hyphens and underscores",
  change: "give the file such a path",
});

/** Folders that an image's programs or the agent's container live in: a volume in their place hides them. */
const TAKEN_FOLDERS =
  /^\/(bin|boot|dev|etc|home|lib|lib32|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var|vault)$|^\/(dev|proc|sys|usr\/(bin|lib|lib64|sbin|share)|etc\/(pki|ssl|ssl\/certs))(\/|$)|^\/(home\/vault|vault\/(agent-cache|configs|custom|tls))(\/|$)|^\/(var\/)?run(\/secrets(\/(kubernetes|vault\.hashicorp\.com|eks\.amazonaws\.com|pods\.eks\.amazonaws\.com).*)?)?$/;

/** A folder of a container in which a volume can be mounted. */
export const containerFolder = text(
  (value) =>
    /^(\/[A-Za-z0-9._-]+)+$/.test(value) &&
    !/\/\.{1,2}(\/|$)/.test(value) &&
    value.length <= 200 &&
    !TAKEN_FOLDERS.test(value),
  {
    allowed:
      "the absolute path of a folder of its own, of letters, digits, dots, hyphens and underscores, such as /etc/app/secrets",
    change: "name a folder that holds nothing else: the volume hides what an image or the agent has there",
  },
);

/** A calendar date. */
export const calendarDate = text(
  (value) =>
    /^\d{4}-\d{2}-\d{2}$/.test(value) && new Date(`${value}T00:00:00Z`).toJSON()?.slice(0, 10) === value,
  { allowed: "a date such as 2026-12-31", change: "write year, month and day" },
);

/** Free text of one line. */
export const oneLine = text((value) => value.trim() !== "" && !/[\r\n]/.test(value) && value.length <= 256, {
  allowed: "one line of text, at most 256 characters",
  change: "say it in one line",
});

/** Name of a field of a value, or of a public setting beside it. */
export const fieldName = text(matches(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/), {
  allowed:
    "letters, digits, hyphens and underscores, beginning with a letter, at most 63 characters, such as api-key",
  change: "leave out other characters: it is a key of the value's JSON",
});

/** Number by which GitHub knows a repository or an owner; names can be given away and taken by others. */
export const githubId = text(matches(/^[1-9][0-9]{0,19}$/), {
  allowed: "a number as digits: 123456789",
  change: "take repository_id, repository_owner_id or (GitLab) project_id of a job's token",
});

/** A workflow's file and where it is taken from, as `job_workflow_ref` has it. */
export const workflowRef = text(
  matches(
    /^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}\/\.github\/workflows\/[A-Za-z0-9._-]+\.ya?ml@\S+$/,
  ),
  {
    allowed: "a workflow's file at a branch: acme/infrastructure/.github/workflows/vouch.yml@refs/heads/main",
    change: "write job_workflow_ref as the job's token has it",
  },
);

/** Owner and name of a repository of GitHub. */
export const repositoryName = text(matches(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}$/), {
  allowed: "<owner>/<name> of a repository: acme/infrastructure",
  change: "write it as the repository's address has it",
});

/** Path of a project of GitLab, with its groups. */
export const gitlabProject = text(
  matches(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_.][A-Za-z0-9_.-]*){1,20}$/),
  {
    allowed: "<group>/<project>, subgroups included: acme/platform/infrastructure",
    change: "write project_path as a job's token has it",
  },
);

/** A pipeline's definition and where it is taken from, as GitLab's `ci_config_ref_uri` has it. */
export const gitlabConfig = text(matches(/^[^\s/@]+\/[^\s@]+\/\/[^\s@]+@\S+$/), {
  allowed: "a pipeline's file at a branch: gitlab.com/acme/infrastructure//.gitlab-ci.yml@refs/heads/main",
  change: "write ci_config_ref_uri as the job's token has it",
});

/** Claims that say what else a gate checks by itself. */
const OWN_CLAIMS: readonly string[] = ["iss", "aud", "exp", "iat", "nbf", "jti", "sub"];

/** Name of a claim of a token. */
export const claimName = text(
  (value) => /^[A-Za-z][\w:./-]{0,99}$/.test(value) && !OWN_CLAIMS.includes(value),
  {
    allowed: "the name of a claim, such as pipeline_id; not iss, sub, aud or a time: the gate checks those",
    change: "name a claim that the job's tokens have",
  },
);

/** A branch as git refers to it. */
export const branchRef = text(matches(/^refs\/heads\/[A-Za-z0-9._/-]{1,200}$/), {
  allowed: "a branch: refs/heads/main",
  change: "name the branch with refs/heads/ before it",
});

/** Text that AWS takes as a tag's value: it becomes one. */
export const tagText = text(matches(/^(?=.*\S)[\p{L}\p{N} _.:/=+@-]{1,256}$/u), {
  allowed: "letters, digits, spaces and _ . : / = + - @, at most 256 characters, as AWS tags take them",
  change: "leave out other characters: it becomes a tag",
});

const EMAIL = /^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;

/** A person who asks, approves or signs: an e-mail address, or the ARN of an IAM role or user. */
export const person = text((value) => EMAIL.test(value) || PRINCIPAL.test(value), {
  allowed: "an e-mail address, or the ARN of an IAM role or user",
  change: "name the person, such as alice@example.com, or the role",
});

const SESSION = /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):sts::\d{12}:assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+$/;
const SERVICE = /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/;

/** An actor in AWS, as its audit trail says: a role's session, a user, a role, or a service. */
export const actorName = text(
  (value) => SESSION.test(value) || PRINCIPAL.test(value) || SERVICE.test(value),
  {
    allowed: "the ARN of an STS session, an IAM user or role, or the name of an AWS service",
    change: "take it from the audit trail",
  },
);

/** A moment in UTC as `toISOString` writes it. */
export const utcInstant = text((value) => new Date(value).toJSON() === value, {
  allowed: "a time such as 2026-11-25T10:15:00.000Z",
  change: "write it as toISOString does",
});

/** Description of a role as IAM takes it (API reference, CreateRole), in one line. */
export const iamDescription = text(matches(/^(?=.*\S)[\u0020-\u007E\u00A1-\u00FF]{1,256}$/), {
  allowed: "one line of Latin-1 text, at most 256 characters, as IAM takes descriptions",
  change: "leave out other characters, such as long dashes and curly quotes",
});

/** A {@link Duration} of at least a second. */
export const duration: z.ZodMiniType<Duration, Duration> = z.strictObject({ seconds: z.number() }).check(
  z.refine((value) => Number.isInteger(value.seconds) && value.seconds >= 1, {
    params: {
      allowed: "a whole, positive length of time, such as days(30)",
      change: "use days(…), hours(…) or minutes(…)",
    },
    message: "a whole, positive length of time",
  }),
);

const SECRET_ARN =
  /^arn:(aws|aws-cn|aws-us-gov|aws-eusc):secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]{1,505}-[A-Za-z0-9]{6}$/;

/** The whole ARN of a secret, as Secrets Manager gives it. */
export const secretArn = text(matches(SECRET_ARN), {
  allowed:
    "the whole ARN of a secret, such as arn:aws:secretsmanager:eu-central-1:111122223333:secret:siem/splunk-AbCdEf",
  change: "take it from aws secretsmanager describe-secret",
});

/** The ARN of a delivery stream. */
export const firehoseArn = text(
  matches(/^arn:(aws|aws-cn|aws-us-gov|aws-eusc):firehose:[a-z0-9-]+:\d{12}:deliverystream\/[\w.-]{1,64}$/),
  {
    allowed:
      "the ARN of a delivery stream, such as arn:aws:firehose:eu-central-1:111122223333:deliverystream/siem",
    change: "take it from aws firehose describe-delivery-stream",
  },
);

/** Name of a header of HTTP. */
export const headerName = text(matches(/^[A-Za-z][A-Za-z0-9-]{0,63}$/), {
  allowed: "the name of a header, such as Authorization or X-Api-Key",
  change: "write its name without the colon",
});
