import type { WorkloadInput } from "../lib/model";

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
  },
  "backend-read": {
    description: "Read endpoints, on the replica database",
    namespace: "backend",
    runAsUser: 10001,
  },
  "backend-payments": {
    description: "Payment endpoints and payment webhooks",
    namespace: "backend",
    runAsUser: 10001,
  },
  celery: {
    description: "Background tasks",
    namespace: "workers",
    runAsUser: 10001,
    // Celery reads its configuration once.
    reload: { how: "redeploy" },
  },
  "celery-email": {
    description: "Background tasks that send mail",
    namespace: "workers",
    runAsUser: 10001,
    reload: { how: "redeploy" },
  },
  "datadog-agent": {
    description: "Observability agents",
    namespace: "datadog",
    // Datadog's Helm chart makes the ServiceAccount.
    manage: "annotate",
    containers: ["agent"],
  },
} as const satisfies Record<string, WorkloadInput>;
