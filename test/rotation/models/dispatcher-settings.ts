import type { DispatchedSecret, DispatcherSettings } from "../../../lib/contracts/function-settings";

/** The part of a dispatched secret that a test has to say; without waits, supplied values, checks and approval otherwise. */
export type DispatchedPart = Pick<DispatchedSecret, "key" | "kind" | "rotation" | "function"> &
  Partial<DispatchedSecret>;

/**
 * Settings of a dispatcher of one secret, in the environment `test` of the registry `acme`.
 *
 * @param more what differs; change requests are not needed by default
 */
export const dispatcherSettings = (
  name: string,
  secret: DispatchedPart,
  more: Partial<DispatcherSettings> = {},
): DispatcherSettings => ({
  registry: "acme",
  environment: "test",
  region: "eu-central-1",
  runsTable: "runs",
  changesTable: "changes",
  publicationsTable: "publications",
  auditKeyAlias: "alias/audit",
  stateMachineArn: "arn",
  changeRequest: "none",
  secrets: {
    [name]: {
      supplied: false,
      publishes: false,
      overlapSeconds: 0,
      publishLeadSeconds: 0,
      restart: [],
      checks: [],
      approval: false,
      ...secret,
    },
  },
  ...more,
});
