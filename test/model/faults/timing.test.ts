import { days, hours, seconds } from "../../../lib/model";
import { genericPassword, vaultDatabase } from "../sample";
import { type FaultCase, testFaults } from "./fault-case";

/** Faults of timing: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "a cadence below a day in Secrets Manager",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = hours(12);
    },
    ways: [
      (d) => {
        d.secrets["db/app"].rotateEvery = days(1);
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "12 hours",
        allowed: "1 to 1000 whole days, as Secrets Manager takes them",
        change: "choose days(1) to days(1000)",
      },
    ],
  },
  {
    name: "a cadence over 1000 days in Secrets Manager",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = days(1001);
    },
    ways: [
      (d) => {
        d.secrets["db/app"].rotateEvery = days(1_000);
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "1001 days",
        allowed: "1 to 1000 whole days, as Secrets Manager takes them",
        change: "choose days(1) to days(1000)",
      },
    ],
  },
  {
    name: "a cadence below Vault's five seconds",
    change: (d) => {
      d.secrets["db/ro"] = vaultDatabase();
      d.secrets["db/ro"].rotateEvery = seconds(4);
      d.secrets["db/ro"].settings.login = "static";
      d.secrets["db/ro"].environments = { prod: { presence: "absent" } };
    },
    ways: [
      (d) => {
        d.secrets["db/ro"].rotateEvery = seconds(5);
      },
    ],
    faults: [
      {
        path: 'secrets["db/ro"].rotateEvery',
        found: "4 seconds",
        allowed: "at least 5 seconds, as Vault's engines take it",
        change: "lengthen it",
      },
    ],
  },
  {
    name: "a cadence that is no length of time",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = "30 days";
    },
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: '"30 days"',
        allowed: "a value of type object",
        change: "change its type",
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/app"].rotateEvery = days(30);
      },
    ],
  },
  {
    name: "a cadence that is not positive",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = days(0);
    },
    ways: [
      (d) => {
        d.secrets["db/app"].rotateEvery = days(1);
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "0 seconds",
        allowed: "a whole, positive length of time, such as days(30)",
        change: "use days(…), hours(…) or minutes(…)",
      },
    ],
  },
  {
    name: "an overlap not longer than refresh and margin",
    change: (d) => {
      d.secrets["db/app"].overlap = hours(7);
    },
    ways: [
      (d) => {
        delete d.secrets["db/app"].overlap;
      },
      (d) => {
        d.secrets["db/app"].overlap = hours(8);
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].overlap',
        found: "7 hours",
        allowed:
          "longer than 7 hours: refresh interval, reload margin and what the kind's acceptors need beyond",
        change: "lengthen it, or remove it for the default",
      },
    ],
  },
  {
    name: "an overlap not longer than what verifiers need",
    change: (d) => {
      d.secrets["crypto/webhook"].overlap = hours(7);
    },
    ways: [
      (d) => {
        delete d.secrets["crypto/webhook"].overlap;
      },
    ],
    faults: [
      {
        path: 'secrets["crypto/webhook"].overlap',
        found: "7 hours",
        allowed:
          "longer than 425 minutes: refresh interval, reload margin and what the kind's acceptors need beyond",
        change: "lengthen it, or remove it for the default",
      },
    ],
  },
  {
    name: "a cadence inside the overlap",
    change: (d) => {
      d.secrets["db/app"].overlap = days(40);
    },
    ways: [
      (d) => {
        d.secrets["db/app"].rotateEvery = days(60);
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "30 days",
        allowed: "longer than 40 days, which one rotation takes until the old credential is gone",
        change: "lengthen the cadence: a new rotation inside a running overlap is refused",
      },
    ],
  },
  {
    name: "a single slot with an overlap",
    change: (d) => {
      d.secrets["app/password"] = genericPassword();
      d.secrets["app/password"].overlap = hours(8);
    },
    faults: [
      {
        path: 'secrets["app/password"].overlap',
        found: "8 hours, for a credential with a single slot",
        allowed: "no overlap: the old credential dies when the new one is made",
        change: "remove it, or choose a kind that accepts two credentials at once",
      },
    ],
  },
  {
    name: "an overlap not longer than Stripe tries to deliver an event again",
    change: (d) => {
      d.secrets["payments/stripe"].overlap = hours(7);
      d.secrets["payments/stripe"].environments.dev = { presence: "absent" };
      d.secrets["payments/stripe"].environments.prod.settings.webhookUrl = "https://shop.example.com/stripe";
    },
    ways: [
      (d) => {
        delete d.secrets["payments/stripe"].overlap;
      },
    ],
    faults: [
      {
        path: 'secrets["payments/stripe"].overlap',
        found: "7 hours",
        allowed:
          "longer than 4745 minutes: refresh interval, reload margin and what the kind's acceptors need beyond",
        change: "lengthen it, or remove it for the default",
      },
    ],
  },
  {
    name: "a consumer that reads at its start only what Vault changes by itself",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.workloads.backend.reload = { how: "redeploy" };
    },
    ways: [
      (d) => {
        d.workloads.backend.reload = { how: "file-watch" };
      },
      (d) => {
        d.workloads.backend.reload = { how: "command", command: "reload" };
      },
    ],
    faults: [
      {
        path: 'secrets["db/ro"].consumers',
        found: 'backend, which reads at its start only (reload "redeploy")',
        allowed:
          "consumers that take up a changed file: Vault makes a user for each of a pod's two agents, and each ends with its agent's token, while the pod lives",
        change:
          'set workloads.backend.reload to { how: "file-watch" } or { how: "command", … }, or let it consume a secret with store "aws"',
      },
    ],
  },
  {
    name: "a consumer that reads at its start only a password that Vault changes",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.secrets["db/ro"].settings.login = "static";
      d.workloads.backend.reload = { how: "redeploy" };
    },
    ways: [
      (d) => {
        d.workloads.backend.reload = { how: "file-watch" };
      },
    ],
    faults: [
      {
        path: 'secrets["db/ro"].consumers',
        found: 'backend, which reads at its start only (reload "redeploy")',
        allowed:
          "consumers that take up a changed file: Vault changes this password on its own cadence, and no rotation restarts anybody",
        change:
          'set workloads.backend.reload to { how: "file-watch" } or { how: "command", … }, or let it consume a secret with store "aws"',
      },
    ],
  },
  {
    name: "a lease that leaves applications less time for its successor than they may need",
    change: (d) => {
      d.secrets["db/ro"] = { ...vaultDatabase(), environments: { prod: { presence: "absent" } } };
      d.secrets["db/ro"].settings.ttl = hours(9);
    },
    ways: [
      (d) => {
        d.secrets["db/ro"].settings.ttl = hours(10);
      },
      (d) => {
        d.environments.dev.reloadMargin = { seconds: 1_800 };
      },
    ],
    faults: [
      {
        path: 'secrets["db/ro"].settings.ttl',
        found: "9 hours, with a reloadMargin of 1 hour in dev",
        allowed:
          "at least 10 hours: an agent asks for the next user when a tenth of a lease is left, and applications have the reload margin to take it up",
        change: "lengthen it, or shorten environments.dev.reloadMargin",
      },
    ],
  },
  {
    name: "a cadence without its unit",
    change: (d) => {
      d.secrets["db/app"].rotateEvery = 30;
    },
    ways: [
      (d) => {
        d.secrets["db/app"].rotateEvery = days(30);
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].rotateEvery',
        found: "30",
        allowed: "a length of time, such as days(30)",
        change: "write days(30), or hours(…) or minutes(…)",
      },
    ],
  },
];

testFaults(CASES);
