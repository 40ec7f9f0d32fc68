import { minutes, seconds } from "../../../lib/model";
import { type FaultCase, testFaults } from "./fault-case";

/** Faults of health checks: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "a health check without a URL in one environment",
    change: (d) => {
      d.workloads.backend.checks = { ready: { type: "health" } };
      d.workloads.backend.environments = { dev: { checks: { ready: { url: "https://dev.example.com/" } } } };
    },
    faults: [
      {
        path: "workloads.backend.environments.prod.checks.ready.url",
        found: "nothing",
        allowed: "the URL of the check in prod",
        change:
          'add it, give workloads.backend.checks a URL for all environments, or write "none" where the check does not run',
      },
    ],
    ways: [
      (d) => {
        d.workloads.backend.environments.prod = { checks: { ready: { url: "https://example.com/" } } };
      },
      (d) => {
        d.workloads.backend.checks.ready.url = "https://example.com/";
      },
      (d) => {
        d.workloads.backend.environments.prod = { checks: { ready: "none" } };
      },
    ],
  },
  {
    name: "a misspelt health check in an environment",
    change: (d) => {
      d.workloads.backend.checks = { ready: { type: "health", url: "https://example.com/" } };
      d.workloads.backend.environments = { dev: { checks: { raedy: { status: 204 } } } };
    },
    faults: [
      {
        path: "workloads.backend.environments.dev.checks.raedy",
        found: '"raedy", which is no check of workloads.backend.checks and has no type of its own',
        allowed: "one of ready, or a check with type and url",
        change: 'did you mean "ready"?',
      },
    ],
    ways: [
      (d) => {
        d.workloads.backend.environments.dev.checks = { ready: { status: 204 } };
      },
    ],
  },
  {
    name: "switching off a health check that does not exist",
    change: (d) => {
      d.workloads.backend.environments = { dev: { checks: { checkout: "none" } } };
    },
    faults: [
      {
        path: "workloads.backend.environments.dev.checks.checkout",
        found: '"checkout", which is no check of workloads.backend.checks and has no type of its own',
        allowed: "a check with type and url",
        change: "complete it, or remove it",
      },
    ],
    ways: [
      (d) => {
        delete d.workloads.backend.environments.dev.checks.checkout;
      },
      (d) => {
        d.workloads.backend.environments.dev.checks.checkout = {
          type: "health",
          url: "https://example.com/",
        };
      },
    ],
  },
  {
    name: "a health check over clear text",
    change: (d) => {
      d.workloads.backend.checks = { ready: { type: "health", url: "http://example.com/health" } };
    },
    faults: [
      {
        path: "workloads.backend.checks.ready.url",
        found: '"http://example.com/health"',
        allowed: "an https URL (http on loopback only)",
        change: "give the full https URL without user or password",
      },
    ],
    ways: [
      (d) => {
        d.workloads.backend.checks.ready.url = "https://example.com/health";
      },
    ],
  },
  {
    name: "a health check whose URL Terraform would read as an expression",
    change: (d) => {
      d.workloads.backend.checks = { ready: { type: "health", url: "https://example.com/${var.path}" } };
    },
    faults: [
      {
        path: "workloads.backend.checks.ready.url",
        found: '"https://example.com/${var.path}"',
        allowed:
          "an https URL (http on loopback only) without fragment, white space, quotes, braces or dollar signs",
        change: "leave the fragment out, and write other characters as %XX",
      },
    ],
    ways: [
      (d) => {
        d.workloads.backend.checks.ready.url = "https://example.com/%24%7Bvar.path%7D";
      },
    ],
  },
  {
    name: "a health check of a type, a status, a time-out and a name that do not exist",
    change: (d) => {
      const url = "https://example.com/";
      d.workloads.backend.checks = {
        one: { type: "smoke", url },
        two: { type: "health", url, status: 99 },
        three: { type: "health", url, timeout: minutes(5) },
      };
      d.workloads.payments.checks = { Health_1: { type: "health", url } };
    },
    faults: [
      {
        path: "workloads.backend.checks.one.type",
        found: '"smoke"',
        allowed: "one of health, synthetic",
        change: "choose one of them",
      },
      {
        path: "workloads.backend.checks.three.timeout",
        found: "5 minutes",
        allowed: "1 to 60 seconds",
        change: "choose seconds(60) or less: the check is tried again anyway",
      },
      {
        path: "workloads.backend.checks.two.status",
        found: "99",
        allowed: "at least 100",
        change: "raise it",
      },
      {
        path: "workloads.payments.checks.Health_1",
        found: '"Health_1"',
        allowed:
          "lower-case letters, digits and single hyphens, beginning with a letter, at most 40 characters",
        change: "choose a name of that form: it becomes part of role names, policy names and paths",
      },
    ],
    ways: [
      (d) => {
        const { one, two, three } = d.workloads.backend.checks;
        one.type = "health";
        two.status = 204;
        three.timeout = seconds(60);
        d.workloads.payments.checks = { health: d.workloads.payments.checks.Health_1 };
      },
    ],
  },
  {
    name: "a setting of a health check that does not exist",
    change: (d) => {
      d.workloads.backend.environments = {
        dev: { checks: { ready: { type: "health", url: "https://example.com/", retries: 3 } } },
      };
    },
    faults: [
      {
        path: "workloads.backend.environments.dev.checks.ready.retries",
        found: "a setting that does not exist",
        allowed: "type, url, status, contains, reports, timeout",
        change: "remove it",
      },
    ],
  },
];

testFaults(CASES);
