import { type FaultCase, testFaults } from "./fault-case";

/** Faults of references to consumers, keys and admins: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "an unknown consumer",
    change: (d) => {
      d.secrets["db/app"].consumers = ["bakcend"];
    },
    faults: [
      {
        path: 'secrets["db/app"].consumers[0]',
        found: '"bakcend", which is no workload',
        allowed: "one of backend, payments",
        change: 'did you mean "backend"?',
      },
    ],
  },
  {
    name: "an unknown consumer with its own files",
    change: (d) => {
      d.secrets["db/app"].consumers = [{ workload: "nobody", files: [{ format: "env" }] }];
    },
    ways: [
      (d) => {
        d.workloads.nobody = { namespace: "nobody" };
      },
      (d) => {
        d.secrets["db/app"].consumers[0].workload = "backend";
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].consumers[0].workload',
        found: '"nobody", which is no workload',
        allowed: "one of backend, payments",
        change: "correct the name, or add the workload",
      },
    ],
  },
  {
    name: "an unknown consumer of one environment",
    change: (d) => {
      d.secrets["crypto/webhook"].environments = { dev: { consumers: ["backed"] } };
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].environments.dev.consumers[0]',
        found: '"backed", which is no workload',
        allowed: "one of backend, payments",
        change: 'did you mean "backend"?',
      },
    ],
  },
  {
    name: "an unknown environment of a consumer",
    change: (d) => {
      d.secrets["crypto/webhook"].consumers = [{ workload: "backend", environments: ["prd"] }];
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].consumers[0].environments[0]',
        found: '"prd", which is no environment',
        allowed: "one of dev, prod",
        change: 'did you mean "prod"?',
      },
    ],
  },
  {
    name: "an environment twice, of a consumer",
    change: (d) => {
      d.secrets["crypto/webhook"].consumers = [{ workload: "backend", environments: ["dev", "dev"] }];
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].consumers[0].environments[1]',
        found: '"dev" a second time',
        allowed: "each environment once",
        change: "remove it",
      },
    ],
  },
  {
    name: "a consumer where the secret is absent",
    change: (d) => {
      d.secrets["crypto/webhook"].consumers = [{ workload: "backend", environments: ["dev", "prod"] }];
      d.secrets["crypto/webhook"].environments = { dev: { presence: "absent", consumers: ["payments"] } };
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].consumers[0].environments[0]',
        found: '"dev", where crypto/webhook is absent',
        allowed: "an environment that has the secret",
        change: 'remove it, or remove secrets["crypto/webhook"].environments.dev.presence',
      },
      {
        path: 'secrets["crypto/webhook"].environments.dev.consumers',
        found: "1 consumers, where crypto/webhook is absent",
        allowed: "consumers where the environment has the secret",
        change: "remove it",
      },
    ],
  },
  {
    name: "a consumer limited to an environment that lists its own",
    change: (d) => {
      d.secrets["crypto/webhook"].consumers = [
        "backend",
        { workload: "payments", environments: ["dev", "prod"] },
      ];
      d.secrets["crypto/webhook"].environments = { dev: { consumers: ["backend"] } };
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].consumers[1].environments[0]',
        found: '"dev", whose consumers are listed in secrets["crypto/webhook"].environments.dev.consumers',
        allowed: "one list of consumers for each environment",
        change: "remove it, and name payments there if it reads the secret in dev",
      },
    ],
  },
  {
    name: "a consumer of one environment that its access rule denies the secret",
    change: (d) => {
      d.secrets["payments/stripe"].environments.dev.consumers = ["backend"];
    },
    ways: [
      (d) => {
        d.accessRules.backend.deny = [];
      },
    ],
    faults: [
      {
        path: 'secrets["payments/stripe"].environments.dev.consumers[0]',
        found: '"backend"',
        allowed:
          'a workload that may read payments/stripe; accessRules["backend"].deny forbids payments/* to this one (policy)',
        change: "let a workload of its own consume it, or change the access rule",
      },
    ],
  },
  {
    name: "a consumer twice in one of its environments",
    change: (d) => {
      d.secrets["crypto/webhook"].consumers = [
        { workload: "backend", environments: ["dev"] },
        { workload: "backend", environments: ["prod"], files: [{ format: "env" }] },
        { workload: "backend", environments: ["prod"] },
      ];
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].consumers[2]',
        found: '"backend" a second time',
        allowed: "each consumer once",
        change: "remove it, or put all its files into one entry",
      },
    ],
  },
  {
    name: "an unknown environment of a secret",
    change: (d) => {
      d.secrets["crypto/webhook"].environments = { porduction: { presence: "absent" } };
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].environments.porduction',
        found: '"porduction", which is no environment',
        allowed: "one of dev, prod",
        change: "correct the name, or add the environment",
      },
    ],
    ways: [
      (d) => {
        d.secrets["crypto/webhook"].environments = { prod: { presence: "absent" } };
      },
    ],
  },
  {
    name: "an unknown environment of a workload",
    change: (d) => {
      d.workloads.backend.environments = { staging: { namespace: "x" } };
    },
    faults: [
      {
        path: "workloads.backend.environments.staging",
        found: '"staging", which is no environment',
        allowed: "one of dev, prod",
        change: "correct the name, or add the environment",
      },
    ],
    ways: [
      (d) => {
        d.workloads.backend.environments = { dev: { namespace: "x" } };
      },
    ],
  },
  {
    name: "an unknown workload in the access rules",
    change: (d) => {
      d.accessRules.frontend = { deny: ["payments/*"] };
    },
    faults: [
      {
        path: "accessRules.frontend",
        found: '"frontend", which is no workload',
        allowed: "one of backend, payments",
        change: "correct the name, or add the workload",
      },
    ],
    ways: [
      (d) => {
        delete d.accessRules.frontend;
      },
      (d) => {
        d.workloads.frontend = { namespace: "frontend" };
      },
    ],
  },
  {
    name: "an unknown key in an access rule",
    change: (d) => {
      d.accessRules.backend.deny = ["payments/strpie"];
    },
    faults: [
      {
        path: "accessRules.backend.deny[0]",
        found: '"payments/strpie", which is no secret',
        allowed: "one of admin/db, crypto/webhook, db/app, payments/stripe",
        change: 'did you mean "payments/stripe"?',
      },
    ],
  },
  {
    name: "an access rule that is no pattern",
    change: (d) => {
      d.accessRules.backend.deny = ["pay*"];
    },
    faults: [
      {
        path: "accessRules.backend.deny[0]",
        found: '"pay*"',
        allowed: "a secret key, everything below a prefix (payments/*), or *",
        change: "write it in one of these three forms",
      },
    ],
    ways: [
      (d) => {
        d.accessRules.backend.deny = ["payments/*"];
      },
      (d) => {
        d.accessRules.backend.deny = ["payments/stripe"];
      },
    ],
  },
  {
    name: "an unknown admin credential",
    change: (d) => {
      d.secrets["db/app"].admin = "db/admin";
    },
    ways: [
      (d) => {
        d.secrets["db/app"].admin = "admin/db";
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].admin',
        found: '"db/admin", which is no secret',
        allowed: "one of admin/db, crypto/webhook, db/app, payments/stripe",
        change: "correct the name, or add the secret",
      },
    ],
  },
  {
    name: "an admin credential that the environment does not have",
    change: (d) => {
      d.secrets["db/app"].admin = "crypto/webhook";
      d.secrets["crypto/webhook"].environments = { dev: { presence: "absent" } };
    },
    ways: [
      (d) => {
        d.secrets["crypto/webhook"].environments = {};
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].admin',
        found: '"crypto/webhook", which dev does not have',
        allowed: "a secret that every environment has in which this one is rotated",
        change: "make crypto/webhook present in dev",
      },
    ],
  },
  {
    name: "admin credentials in a circle",
    change: (d) => {
      d.secrets["db/app"].admin = "crypto/webhook";
      d.secrets["crypto/webhook"].admin = "db/app";
    },
    faults: [
      {
        path: 'secrets["crypto/webhook"].admin',
        found: '"db/app", which rotation would never use',
        allowed:
          "no admin secret with hmac-key, store aws, rotation automatic: what changes it is the function itself: no target holds the keys",
        change: "remove it; an admin secret that no other secret names can go as well",
      },
      {
        path: 'secrets["crypto/webhook"].admin',
        found: "crypto/webhook → db/app → crypto/webhook",
        allowed: "a chain of admin credentials that ends",
        change: "let one of them be rotated without the others",
      },
      {
        path: 'secrets["db/app"].admin',
        found: "db/app → crypto/webhook → db/app",
        allowed: "a chain of admin credentials that ends",
        change: "let one of them be rotated without the others",
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/app"].admin = "admin/db";
        delete d.secrets["crypto/webhook"].admin;
      },
    ],
  },
  {
    name: "a consumer against a deny rule",
    change: (d) => {
      d.secrets["payments/stripe"].consumers = ["payments", "backend"];
    },
    ways: [
      (d) => {
        d.secrets["payments/stripe"].consumers = ["payments"];
      },
      (d) => {
        d.accessRules = {};
      },
    ],
    faults: [
      {
        path: 'secrets["payments/stripe"].consumers[1]',
        found: '"backend"',
        allowed:
          'a workload that may read payments/stripe; accessRules["backend"].deny forbids payments/* to this one (policy)',
        change: "let a workload of its own consume it, or change the access rule",
      },
    ],
  },
  {
    name: "a consumer outside of an allow rule",
    change: (d) => {
      d.accessRules.payments = { allow: ["payments/*"] };
      d.secrets["db/app"].consumers = ["payments"];
    },
    ways: [
      (d) => {
        d.secrets["db/app"].consumers = ["backend"];
      },
      (d) => {
        d.accessRules.payments.allow.push("db/*");
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].consumers[0]',
        found: '"payments"',
        allowed: 'a workload that may read db/app; accessRules["payments"].allow lists only payments/*',
        change: "let a workload of its own consume it, or change the access rule",
      },
    ],
  },
  {
    name: "a consumer named twice",
    change: (d) => {
      d.secrets["db/app"].consumers = ["backend", "backend"];
    },
    faults: [
      {
        path: 'secrets["db/app"].consumers[1]',
        found: '"backend" a second time',
        allowed: "each consumer once",
        change: "remove it, or put all its files into one entry",
      },
    ],
  },
  {
    name: "a retired secret with a consumer",
    change: (d) => {
      d.secrets["db/app"].retired = "2026-12-31";
    },
    ways: [
      (d) => {
        d.secrets["db/app"].consumers = [];
      },
      (d) => {
        delete d.secrets["db/app"].retired;
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].retired',
        found: "retired on 2026-12-31 with consumers backend",
        allowed: "a retired secret without consumers",
        change: "remove the consumers first, or remove `retired`",
      },
    ],
  },
  {
    name: "an unknown consumer among very many",
    change: (d) => {
      for (let index = 10; index < 40; index += 1) d.workloads[`worker-${index}`] = { namespace: "workers" };
      d.secrets["db/app"].consumers = ["worker-1O"];
    },
    faults: [
      {
        path: 'secrets["db/app"].consumers[0]',
        found: '"worker-1O", which is no workload',
        allowed: "one of 32 names, such as worker-10, worker-11, worker-12",
        change: 'did you mean "worker-10"?',
      },
    ],
  },
];

testFaults(CASES);
