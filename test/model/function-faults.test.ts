import { days, defineRegistry, type Fault, hours, RegistryError } from "../../lib/model";
import { type Draft, draft, redisToken, vaultDatabase } from "./sample";

/** Every fault in what functions need: networks, schedules, admins, and the issuer of AWS's tokens. */

const network = (name: string) => ({
  name,
  subnets: ["subnet-0a1b2c3d4e5f60718"],
  securityGroups: ["sg-0a1b2c3d4e5f60718"],
});

const CASES: readonly {
  readonly name: string;
  readonly change: (d: Draft) => void;
  readonly faults: readonly Fault[];
}[] = [
  {
    name: "a network by name where an ID is wanted",
    change: (d) => {
      d.environments.prod.networks = [{ ...network("main"), subnets: ["private-a"] }];
    },
    faults: [
      {
        path: "environments.prod.networks[0].subnets[0]",
        found: '"private-a"',
        allowed: "an ID such as subnet-0a1b2c3d4e5f60718",
        change: "use the ID, not the name or the ARN",
      },
    ],
  },
  {
    name: "two networks of one name",
    change: (d) => {
      d.environments.prod.networks = [network("main"), network("main")];
    },
    faults: [
      {
        path: "environments.prod.networks[1].name",
        found: '"main" a second time',
        allowed: "each name once",
        change: "rename or remove it",
      },
    ],
  },
  {
    name: "a network of the name that stands for none",
    change: (d) => {
      d.environments.prod.networks = [network("none")];
    },
    faults: [
      {
        path: "environments.prod.networks[0].name",
        found: '"none"',
        allowed: "any other name: none stands for no network",
        change: "rename it",
      },
    ],
  },
  {
    name: "an unknown network of the mirror and of a secret",
    change: (d) => {
      d.environments.prod.networks = [network("main")];
      d.environments.prod.mirrorNetwork = "mian";
      d.secrets["db/app"].environments.prod.network = "cards";
    },
    faults: [
      {
        path: "environments.prod.mirrorNetwork",
        found: '"mian", which is no network of prod',
        allowed: "none, main",
        change: "correct the name, or add the network to environments.prod.networks",
      },
      {
        path: 'secrets["db/app"].environments.prod.network',
        found: '"cards", which is no network of prod',
        allowed: "none, main",
        change: "correct the name, or add the network to environments.prod.networks",
      },
    ],
  },
  {
    name: "secrets to be mirrored without the issuer of AWS's tokens",
    change: (d) => {
      delete d.environments.prod.awsTokenIssuer;
    },
    faults: [
      {
        path: "environments.prod.awsTokenIssuer",
        found: "none, and crypto/webhook is to be copied into Vault",
        allowed:
          "the issuer of the account's outbound tokens, such as https://1a2b3c4d-….tokens.sts.global.api.aws",
        change:
          "enable it once per account (aws iam enable-outbound-web-identity-federation), and put the issuer that it prints here",
      },
    ],
  },
  {
    name: "a connection for Vault to rotate without the issuer of AWS's tokens",
    change: (d) => {
      d.secrets = { "db/ro": { ...vaultDatabase(), environments: { dev: { presence: "absent" } } } };
      delete d.environments.prod.awsTokenIssuer;
    },
    faults: [
      expect.objectContaining({
        path: "environments.prod.awsTokenIssuer",
        found: "none, and Vault is to rotate the connection of db/ro",
      }),
    ],
  },
  {
    name: "an issuer that is no URL",
    change: (d) => {
      d.environments.prod.awsTokenIssuer = "tokens.sts.global.api.aws";
    },
    faults: [expect.objectContaining({ path: "environments.prod.awsTokenIssuer" })],
  },
  {
    name: "hours of rotation that end before they begin",
    change: (d) => {
      d.environments.prod.rotationHours = { from: 20, until: 4 };
    },
    faults: [
      expect.objectContaining({
        path: "environments.prod.rotationHours.until",
        allowed: "an hour after `from`, at most 24: Secrets Manager's windows end with the UTC day",
        change: "let the hours begin and end on one day",
      }),
    ],
  },
  {
    name: "a cadence that leaves no time between two scheduled rotations",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = days(2);
      d.secrets["db/app"].overlap = hours(45);
    },
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "2 days",
        allowed: "a cadence that a schedule keeps, with more than 45 hours between two rotations",
        change: "lengthen the cadence, or shorten the overlap",
      },
    ],
  },
  {
    name: "a database user without an admin to make it",
    change: (d) => {
      delete d.secrets["db/app"].admin;
    },
    faults: [
      {
        path: 'secrets["db/app"].admin',
        found: "no admin secret",
        allowed: "the key of a secret with a login that makes the two logins: fields username and password",
        change: "add such a secret (kind generic, rotation operator-assisted, no consumers) and name it here",
      },
    ],
  },
  {
    name: "an ACL user without an admin",
    change: (d) => {
      d.secrets["redis/app"] = redisToken();
      d.secrets["redis/app"].environments = { dev: { presence: "absent" } };
      d.secrets["redis/app"].settings = { host: "redis.example.com", engine: "acl", user: "app" };
    },
    faults: [expect.objectContaining({ path: 'secrets["redis/app"].admin', found: "no admin secret" })],
  },
];

function faultsOf(definition: Draft): readonly Fault[] {
  try {
    defineRegistry(definition);
  } catch (error) {
    if (error instanceof RegistryError) return error.faults;
    throw error;
  }
  return [];
}

test.each(CASES)("$name", ({ change, faults }) => {
  const definition = draft();
  change(definition);
  expect(faultsOf(definition)).toEqual(faults);
});
