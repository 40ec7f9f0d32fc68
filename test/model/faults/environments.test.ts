import { days, hours } from "../../../lib/model";
import { type FaultCase, testFaults } from "./fault-case";

/** Faults of an environment: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "an unknown secret that an environment opts in to",
    change: (d) => {
      d.environments.dev.optIn = ["crypto/webhok"];
    },
    faults: [
      {
        path: "environments.dev.optIn[0]",
        found: '"crypto/webhok", which is no secret',
        allowed: "one of admin/db, crypto/webhook, db/app, payments/stripe",
        change: 'did you mean "crypto/webhook"?',
      },
    ],
  },
  {
    name: "opting in to a secret that is required",
    change: (d) => {
      d.environments.dev.optIn = ["crypto/webhook"];
    },
    faults: [
      {
        path: "environments.dev.optIn[0]",
        found: '"crypto/webhook", which is required in dev',
        allowed: "a secret that is optional there",
        change: "remove it: the environment has the secret anyway",
      },
    ],
  },
  {
    name: "opting in to a secret that is absent",
    change: (d) => {
      d.environments.dev.optIn = ["crypto/webhook"];
      d.secrets["crypto/webhook"].environments = { dev: { presence: "absent" } };
    },
    faults: [
      {
        path: "environments.dev.optIn[0]",
        found: '"crypto/webhook", which is absent in dev',
        allowed: "a secret that is optional there",
        change:
          'remove it, or make the secret optional at secrets["crypto/webhook"].environments.dev.presence',
      },
    ],
  },
  {
    name: "a replica region equal to the primary",
    change: (d) => {
      d.environments.dev.regions.replicas = ["eu-central-1"];
    },
    faults: [
      {
        path: "environments.dev.regions.replicas[0]",
        found: "eu-central-1, which is the primary region",
        allowed: "regions other than the primary",
        change: "remove it: the primary holds the secret anyway",
      },
      {
        path: "environments.dev.vaults[0].regions[1]",
        found: "eu-west-1",
        allowed: "the environment's regions: eu-central-1",
        change: "remove it, or add the region to the environment",
      },
    ],
  },
  {
    name: "a replica region twice",
    change: (d) => {
      d.environments.dev.regions.replicas = ["eu-west-1", "eu-west-1"];
    },
    faults: [
      {
        path: "environments.dev.regions.replicas[1]",
        found: "eu-west-1 a second time",
        allowed: "each replica region once",
        change: "remove it",
      },
    ],
  },
  {
    name: "a replica region of another partition",
    change: (d) => {
      d.environments.dev.regions.replicas = ["eu-west-1", "cn-north-1"];
    },
    ways: [
      (d) => {
        d.environments.dev.regions.replicas = ["eu-west-1"];
      },
    ],
    faults: [
      {
        path: "environments.dev.regions.replicas[1]",
        found: "cn-north-1 of partition aws-cn",
        allowed: "regions of partition aws, like the primary eu-central-1",
        change: "choose a region of the same partition: Secrets Manager does not replicate across partitions",
      },
    ],
  },
  {
    name: "a region that is none",
    change: (d) => {
      d.environments.dev.regions.primary = "eu-centrl-1";
    },
    faults: [
      {
        path: "environments.dev.regions.primary",
        found: '"eu-centrl-1"',
        allowed: "an AWS region such as eu-central-1",
        change: "use the region's code name",
      },
    ],
  },
  {
    name: "an account id that is none",
    change: (d) => {
      d.environments.dev.account = "1234";
    },
    faults: [
      {
        path: "environments.dev.account",
        found: '"1234"',
        allowed: "a 12-digit AWS account id, as a string",
        change: "write the account's id with its leading zeros, in quotes",
      },
    ],
    ways: [
      (d) => {
        d.environments.dev.account = "111122223333";
      },
    ],
  },
  {
    name: "an account id as a number",
    change: (d) => {
      d.environments.dev.account = 111122223333;
    },
    faults: [
      {
        path: "environments.dev.account",
        found: "111122223333",
        allowed: "a value of type string",
        change: "change its type",
      },
    ],
    ways: [
      (d) => {
        d.environments.dev.account = "111122223333";
      },
    ],
  },
  {
    name: "a refresh interval over six hours",
    change: (d) => {
      d.environments.dev.refreshEvery = hours(12);
    },
    ways: [
      (d) => {
        d.environments.dev.refreshEvery = hours(6);
      },
    ],
    faults: [
      {
        path: "environments.dev.refreshEvery",
        found: "12 hours",
        allowed: "1 minute to 6 hours (policy: applications refresh every 6 hours)",
        change: "choose hours(6) or less",
      },
    ],
  },
  {
    name: "a recovery window that AWS does not take",
    change: (d) => {
      d.environments.dev.recoveryWindow = days(3);
    },
    ways: [
      (d) => {
        d.environments.dev.recoveryWindow = days(7);
      },
    ],
    faults: [
      {
        path: "environments.dev.recoveryWindow",
        found: "3 days",
        allowed: "7 to 30 whole days, as Secrets Manager takes them; none in development",
        change: "choose days(7) to days(30)",
      },
    ],
  },
  {
    name: "secrets of production that are gone at once",
    change: (d) => {
      d.environments.prod.recoveryWindow = days(0);
    },
    ways: [
      (d) => {
        d.environments.prod.recoveryWindow = days(30);
      },
    ],
    faults: [
      {
        path: "environments.prod.recoveryWindow",
        found: "none, and its values are used",
        allowed: "7 to 30 days; none in development only",
        change: "choose days(7) to days(30)",
      },
    ],
  },
];

testFaults(CASES);
