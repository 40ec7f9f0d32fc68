import fc from "fast-check";
import type { PolicyDocument } from "../../lib/model";
import { allowanceOf, type CallerSet, type RequestPlace, requestsOf } from "../../lib/proof/allowance";
import { type ConcreteRequest, findRequest } from "../../lib/proof/request-set";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { propertyRuns } from "../property-runs";
import {
  ACCOUNT,
  ACTIONS,
  anyPair,
  anyRequest,
  CALLER,
  FAMILY,
  type PolicySide,
  REGION,
} from "./random-policies";

type AccessRequest = Parameters<typeof evaluateAccess>[0];

const place: RequestPlace = {
  policies: { partition: "aws", account: ACCOUNT },
  region: REGION,
  family: FAMILY,
  actions: ACTIONS,
};

const callerWith = ({ identity }: PolicySide): CallerSet => ({
  kind: "role",
  role: {
    arn: CALLER,
    name: "reader",
    isWorkload: true,
    trust: { Statement: [] },
    policies: identity,
    attached: [],
  },
});

const found = (base: PolicySide, head: PolicySide, mustAllow: boolean) =>
  findRequest(
    requestsOf(callerWith(head), place),
    allowanceOf(callerWith(head), place, head.resource, mustAllow),
    allowanceOf(callerWith(base), place, base.resource, mustAllow),
  );

/** Keys as policies write them: IAM compares them without their case, the evaluator with it. */
const KEYS = ["aws:SourceVpce", "secretsmanager:VersionStage", "aws:PrincipalTag/team", "aws:TagKeys"];

const asRequest = ({ action, resource, caller, context }: ConcreteRequest): AccessRequest => ({
  action,
  resource,
  principal: caller,
  context: {
    ...Object.fromEntries(
      Object.entries(context).map(([key, value]) => [
        KEYS.find((name) => name.toLowerCase() === key) ?? key,
        value,
      ]),
    ),
    "aws:RequestedRegion": REGION,
  },
});

const isAllowed = (request: AccessRequest, { identity, resource }: PolicySide, resourceMustAllow: boolean) =>
  evaluateAccess(request, {
    identity: identity as readonly PolicyDocument[],
    ...(resource === undefined ? {} : { resource: resource as PolicyDocument }),
    resourceMustAllow,
  }).allowed;

test("agrees with the evaluator on random policies: what it finds is allowed by the head alone, and without it nothing is", () => {
  const seen = { found: 0, proved: 0 };
  fc.assert(
    fc.property(
      anyPair,
      fc.boolean(),
      fc.array(anyRequest, { minLength: 30, maxLength: 30 }),
      ([base, head], mustAllow, requests) => {
        const result = found(base, head, mustAllow);
        if (result === undefined) {
          seen.proved += 1;
          for (const request of requests) {
            if (isAllowed(request, head, mustAllow)) expect(isAllowed(request, base, mustAllow)).toBe(true);
          }
          return;
        }
        seen.found += 1;
        expect(result.found).toBe("request");
        const request = asRequest(result.request);
        expect([isAllowed(request, head, mustAllow), isAllowed(request, base, mustAllow)]).toEqual([
          true,
          false,
        ]);
      },
    ),
    propertyRuns("the engine agrees with the evaluator", { ci: 500, nightly: 10_000 }),
  );
  expect(seen.found).toBeGreaterThan(50);
  expect(seen.proved).toBeGreaterThan(50);
});
