import { redisToken, s3Key } from "../sample";
import { type FaultCase, testFaults } from "./fault-case";

/** Faults of kinds: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "a kind that does not exist",
    change: (d) => {
      d.secrets["db/app"].kind = "mysql-user";
    },
    faults: [
      {
        path: 'secrets["db/app"].kind',
        found: '"mysql-user"',
        allowed:
          "one of postgresql-user, redis-auth-token, jwt-signing-key, hmac-key, stripe, paypal, sendgrid, s3-access-key, datadog, generic",
        change: "choose one of them",
      },
    ],
  },
  {
    name: "a store that cannot hold the kind",
    change: (d) => {
      d.secrets["crypto/webhook"].store = "vault";
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].store',
        found: '"vault"',
        allowed: "aws for kind hmac-key",
        change: "choose a store that can rotate this kind",
      },
    ],
    ways: [
      (d) => {
        d.secrets["crypto/webhook"].store = "aws";
      },
    ],
  },
  {
    name: "somebody who does not accept the kind",
    change: (d) => {
      d.secrets["crypto/webhook"].acceptedBy = "target";
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].acceptedBy',
        found: '"target"',
        allowed: "own-workloads for kind hmac-key",
        change: "remove it: the kind knows who accepts it",
      },
    ],
  },
  {
    name: "a rotation that the kind does not have",
    change: (d) => {
      d.secrets["db/app"].rotation = "operator-assisted";
    },
    faults: [
      {
        path: 'secrets["db/app"].rotation',
        found: '"operator-assisted"',
        allowed: "automatic for kind postgresql-user",
        change: "choose one of them",
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/app"].rotation = "automatic";
      },
    ],
  },
  {
    name: "a rotation that the kind does not have, in one environment",
    change: (d) => {
      d.secrets["db/app"].environments.dev.rotation = "manual-dual-publish";
    },
    faults: [
      {
        path: 'secrets["db/app"].environments.dev.rotation',
        found: '"manual-dual-publish"',
        allowed: "automatic for kind postgresql-user",
        change: "choose one of them",
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/app"].environments.dev.rotation = "automatic";
      },
    ],
  },
  {
    name: "dual write turned off where both must live",
    change: (d) => {
      d.secrets["db/app"].dualWrite = false;
    },
    faults: [
      {
        path: 'secrets["db/app"].dualWrite',
        found: "false",
        allowed: "dual write: the target accepts both credentials, and pods refresh at different times",
        change: "remove it",
      },
    ],
  },
  {
    name: "a session policy over 2,048 characters",
    change: (d) => {
      d.secrets["s3/app"] = s3Key();
      d.secrets["s3/app"].settings.sessionPolicy.Statement = ["x".repeat(2048)];
    },
    faults: [
      {
        path: 'secrets["s3/app"].settings.sessionPolicy',
        found: "a policy of 2089 characters",
        allowed: "2048 characters, as STS takes session policies",
        change: "join statements, or use prefixes",
      },
    ],
    ways: [
      (d) => {
        d.secrets["s3/app"].settings.sessionPolicy.Statement = [];
      },
    ],
  },
  {
    name: "a session policy that is none",
    change: (d) => {
      d.secrets["s3/app"] = s3Key();
      d.secrets["s3/app"].settings.sessionPolicy = { statements: [] };
    },
    faults: [
      {
        path: 'secrets["s3/app"].settings.sessionPolicy',
        found: "an object with statements",
        allowed: 'an IAM policy: Version "2012-10-17" and Statement',
        change: "write it as an IAM policy",
      },
    ],
    ways: [
      (d) => {
        d.secrets["s3/app"].settings.sessionPolicy = { Version: "2012-10-17", Statement: [] };
      },
    ],
  },
  {
    name: "ElastiCache with an ACL user",
    change: (d) => {
      d.secrets["redis/app"] = redisToken();
      d.secrets["redis/app"].settings.user = "app";
      d.secrets["redis/app"].environments = { prod: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["redis/app"].settings.user',
        found: '"app"',
        allowed: "no user with engine elasticache",
        change: "remove it, or choose the other engine",
      },
    ],
  },
  {
    name: "users of ElastiCache and MemoryDB without what names them, or with another engine's names",
    change: (d) => {
      const inDev = { ...redisToken(), environments: { prod: { presence: "absent" } } };
      const host = "redis.example.com";
      d.secrets["redis/default"] = { ...inDev, settings: { host, engine: "memorydb-user", user: "default" } };
      d.secrets["redis/group"] = {
        ...inDev,
        settings: { host, engine: "memorydb-user", user: "app", userId: "app", replicationGroup: "app" },
      };
      d.secrets["redis/unnamed"] = { ...inDev, settings: { host, engine: "elasticache-user", user: "app" } };
    },
    faults: [
      {
        path: 'secrets["redis/default"].settings.user',
        found: '"default"',
        allowed:
          "the name of a MemoryDB user of your own: lower-case letters, digits and hyphens, not default",
        change: "make a user of your own: MemoryDB's default user cannot be changed",
      },
      {
        path: 'secrets["redis/group"].settings.replicationGroup',
        found: '"app"',
        allowed: "no replicationGroup with engine memorydb-user",
        change: "remove it, or choose the other engine",
      },
      {
        path: 'secrets["redis/group"].settings.userId',
        found: '"app"',
        allowed: "no userId with engine memorydb-user",
        change: "remove it, or choose the other engine",
      },
      {
        path: 'secrets["redis/unnamed"].environments.dev.settings.userId',
        found: "nothing",
        allowed: "the id of the ElastiCache user, with engine elasticache-user",
        change: "add it",
      },
    ],
    ways: [
      (d) => {
        d.secrets["redis/default"].settings.user = "app-one";
        delete d.secrets["redis/group"].settings.replicationGroup;
        delete d.secrets["redis/group"].settings.userId;
        d.secrets["redis/unnamed"].settings.userId = "app-three";
      },
      (d) => {
        d.secrets["redis/default"].settings.user = "app-one";
        Object.assign(d.secrets["redis/group"].settings, { engine: "elasticache-user", userId: "app-two" });
        delete d.secrets["redis/group"].settings.replicationGroup;
        d.secrets["redis/unnamed"].settings.userId = "app-three";
      },
    ],
  },
  {
    name: "ElastiCache's own default user",
    change: (d) => {
      d.secrets["redis/app"] = redisToken();
      d.secrets["redis/app"].settings = {
        host: "redis.example.com",
        engine: "elasticache-user",
        user: "default",
        userId: "default",
      };
    },
    faults: [
      {
        path: 'secrets["redis/app"].settings.userId',
        found: '"default"',
        allowed: "the id of a user of your own: lower-case letters, digits and hyphens, not default",
        change:
          "make a user of your own; for ElastiCache's default user give it the user name default and another id",
      },
    ],
    ways: [
      (d) => {
        d.secrets["redis/app"].settings.userId = "app-default";
      },
    ],
  },
  {
    name: "two rotators for one ElastiCache user, by whatever caches",
    change: (d) => {
      const of = (host: string) => ({
        ...redisToken(),
        environments: { prod: { presence: "absent" } },
        settings: { host, engine: "elasticache-user", user: "app", userId: "app" },
      });
      d.secrets["redis/app"] = of("one.example.com");
      d.secrets["redis/two"] = of("two.example.com");
    },
    faults: [
      {
        path: 'secrets["redis/two"].environments.dev.settings',
        found: 'the ElastiCache user app, which secrets["redis/app"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
    ways: [
      (d) => {
        d.secrets["redis/two"].settings.userId = "app-two";
      },
      (d) => {
        delete d.secrets["redis/two"];
      },
    ],
  },
  {
    name: "Redis without TLS",
    change: (d) => {
      d.secrets["redis/app"] = redisToken();
      d.secrets["redis/app"].settings.tls = false;
    },
    faults: [
      {
        path: 'secrets["redis/app"].settings.tls',
        found: "false",
        allowed: "true, and nothing else",
        change: "remove it",
      },
    ],
  },
  {
    name: "live Stripe keys outside of production",
    change: (d) => {
      d.secrets["payments/stripe"].environments.dev.settings.mode = "live";
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.dev.settings.mode',
        found: '"live" in dev, whose tier is development',
        allowed: "live tokens in production, and only there",
        change: "choose test",
      },
    ],
    ways: [
      (d) => {
        d.secrets["payments/stripe"].environments.dev.settings.mode = "test";
      },
    ],
  },
  {
    name: "test Stripe keys in production",
    change: (d) => {
      d.secrets["payments/stripe"].environments.prod.settings.mode = "test";
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.prod.settings.mode',
        found: '"test" in prod, whose tier is production',
        allowed: "live tokens in production, and only there",
        change: "choose live, or another tier",
      },
    ],
    ways: [
      (d) => {
        d.secrets["payments/stripe"].environments.prod.settings.mode = "live";
      },
    ],
  },
  {
    name: "PayPal's sandbox with the host of its live world",
    change: (d) => {
      d.secrets["payments/stripe"].kind = "paypal";
      d.secrets["payments/stripe"].environments.dev.settings = {
        mode: "sandbox",
        account: "shop",
        apiUrl: "https://api-m.paypal.com",
      };
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.dev.settings.apiUrl',
        found: "api-m.paypal.com",
        allowed: "a host of PayPal's sandbox world",
        change: "remove it: the mode says where PayPal is",
      },
    ],
  },
  {
    name: "a Stripe account by its name",
    change: (d) => {
      d.secrets["payments/stripe"].environments.dev.settings.accountId = "sandbox";
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.dev.settings.accountId',
        found: '"sandbox"',
        allowed: "a Stripe account id such as acct_1Nv0FGQ9RKHgCVdK",
        change: "copy it from Stripe",
      },
    ],
  },
  {
    name: "Stripe's keys by API without what they need",
    change: (d) => {
      d.secrets["payments/stripe"].rotation = "automatic";
      d.secrets["payments/stripe"].admin = "admin/db";
      d.secrets["payments/stripe"].environments.dev = { presence: "absent" };
      Object.assign(d.secrets["payments/stripe"].environments.prod.settings, {
        webhookUrl: "https://shop.example.com/stripe",
        publishableKey: ["pk", "test", "1"].join("_"),
        keyPermissions: ["balance_read", "charge_write"],
      });
    },
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.prod.settings.accountId',
        found: "nothing",
        allowed: "the account in which the app of the admin secret is installed, with rotation automatic",
        change: "add it, or choose operator-assisted",
      },
      {
        path: 'secrets["payments/stripe"].environments.prod.settings.keyPermissions',
        found: "no webhook_read, webhook_write",
        allowed:
          "the permissions that rotation itself uses: it reads the balance, and makes the endpoints of webhookUrl",
        change: "add them",
      },
      {
        path: 'secrets["payments/stripe"].environments.prod.settings.publishableKey',
        found: "a key of the other mode",
        allowed: "pk_live_…",
        change: "copy the one of this mode",
      },
    ],
    ways: [
      (d) => {
        const { settings } = d.secrets["payments/stripe"].environments.prod;
        settings.accountId = "acct_1";
        settings.keyPermissions.push("webhook_read", "webhook_write");
        settings.publishableKey = ["pk", "live", "1"].join("_");
      },
    ],
  },
  {
    name: "a setting of the kind that is missing",
    change: (d) => {
      delete d.secrets["db/app"].environments.prod.settings.host;
    },
    faults: [
      {
        path: 'secrets["db/app"].environments.prod.settings.host',
        found: "nothing",
        allowed: "a value (string)",
        change: "add it",
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/app"].environments.prod.settings.host = "db.prod.example.com";
      },
    ],
  },
  {
    name: "a setting of the kind that does not exist",
    change: (d) => {
      d.secrets["db/app"].settings.hostname = "db";
    },
    faults: [
      {
        path: 'secrets["db/app"].settings.hostname',
        found: "a setting that does not exist",
        allowed:
          "host, writerHost, port, server, caPem, database, role, adopt, schemas, exceptObjects, privileges, lockGrace, data, login, connectionUser, ttl, maxTtl",
        change: "remove it",
      },
    ],
  },
  {
    name: "two rotators for one IAM user, across environments",
    change: (d) => {
      d.secrets["s3/app"] = s3Key();
      d.secrets["s3/app"].environments.prod.settings.user = "s3-dev";
      d.environments.prod.account = d.environments.dev.account;
      d.environments.prod.principals = { ...d.environments.dev.principals, approvers: [], breakGlass: [] };
      d.environments.prod.approval = "none";
    },
    faults: [
      {
        path: 'secrets["s3/app"].environments.prod.settings',
        found: 'the IAM user s3-dev of account 111122223333, which secrets["s3/app"] rotates in dev',
        allowed: "one rotator for each credential",
        change: "give one of them a user of its own, or make them one secret with more consumers",
      },
    ],
    ways: [
      (d) => {
        d.secrets["s3/app"].environments.prod.settings.user = "s3-prod";
      },
    ],
  },
  {
    name: "a credential in the registry",
    change: (d) => {
      d.secrets["payments/stripe"].environments.dev.settings.account = "sk_" + "test_" + "4eC39HqLyjWDarjt";
    },
    // Its value is put by bootstrap; the setting that it stood in has another one, which a person knows.
    ways: [],
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.dev.settings.account',
        found: "a text that looks like a credential (not shown)",
        allowed: "no secret value: the registry describes secrets, it does not hold them",
        change: "remove it, and rotate that credential: it has been in a file",
      },
    ],
  },
];

testFaults(CASES);
