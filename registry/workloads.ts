import { seconds, type WorkloadInput } from "../lib/model";

/** The checks of a workload at each environment's API, by name and path: the paths are the same everywhere. */
const checksAt = (paths: Readonly<Record<string, string>>) => {
  const at = (host: string) => ({
    checks: Object.fromEntries(
      Object.entries(paths).map(([check, path]) => [check, { url: `https://${host}${path}` }]),
    ),
  });
  return { dev: at("api.dev.example.com"), stage: at("api.stage.example.com"), prod: at("api.example.com") };
};

/**
 * The application that people call Backend is several workloads: the policy lets "Backend" consume `payments/*`
 * and forbids it to the backend role, so each part that needs other secrets has a ServiceAccount and a role of
 * its own.
 */
export const workloads = {
  backend: {
    description: "API of the application",
    namespace: "backend",
    runAsUser: 10001,
    checks: {
      ready: { type: "health", contains: "ok" },
      // Signs in a test user: database, cache and token signature in one request.
      "sign-in": { type: "synthetic" },
      upload: { type: "synthetic", status: 201 },
      "webhook-out": { type: "synthetic" },
    },
    environments: checksAt({
      ready: "/health/ready",
      "sign-in": "/synthetic/sign-in",
      upload: "/synthetic/upload",
      "webhook-out": "/synthetic/webhook-out",
    }),
  },
  "backend-read": {
    description: "Read endpoints, on the replica database",
    namespace: "backend",
    runAsUser: 10001,
    checks: { ready: { type: "health", contains: "ok" }, report: { type: "synthetic" } },
    environments: checksAt({ ready: "/reports/health/ready", report: "/synthetic/report" }),
  },
  "backend-payments": {
    description: "Payment endpoints and payment webhooks",
    // Whoever creates pods in the namespace of "backend" could pick this ServiceAccount, which reads payments/*.
    namespace: "payments",
    runAsUser: 10001,
    checks: {
      ready: { type: "health", contains: "ok" },
      // Reads the accounts' balances and lets the vendor send a test webhook; no money moves.
      vendors: { type: "synthetic", timeout: seconds(30) },
    },
    environments: checksAt({ ready: "/payments/health/ready", vendors: "/synthetic/payments" }),
  },
  celery: {
    description: "Background tasks",
    namespace: "workers",
    runAsUser: 10001,
    // Celery reads its configuration once.
    reload: { how: "redeploy" },
    // Answers once a worker has done a task that touches database, queue and bucket.
    checks: { task: { type: "synthetic", timeout: seconds(30) } },
    environments: checksAt({ task: "/synthetic/task" }),
  },
  "celery-email": {
    description: "Background tasks that send mail",
    namespace: "workers",
    runAsUser: 10001,
    reload: { how: "redeploy" },
    checks: { mail: { type: "synthetic", timeout: seconds(30) } },
    environments: checksAt({ mail: "/synthetic/mail" }),
  },
  "datadog-agent": {
    description: "Observability agents",
    namespace: "datadog",
    // Datadog's Helm chart makes the ServiceAccount, and one pod for each node.
    manage: "annotate",
    controller: "DaemonSet",
    containers: ["agent"],
    // Answers once a metric that went through an agent can be read back.
    checks: { metric: { type: "synthetic", timeout: seconds(60) } },
    environments: checksAt({ metric: "/synthetic/metric" }),
  },
} as const satisfies Record<string, WorkloadInput>;
