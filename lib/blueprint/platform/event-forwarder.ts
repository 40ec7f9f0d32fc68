import { roleArn } from "./aws-arns";
import type { RolePlace } from "./role-plan";
import type { ForwarderPlan } from "./rule-plan";
import type { Tags } from "./tags";

/** Place and name of a forwarder's role, and the bus that it reaches. */
export interface ForwarderInput {
  readonly name: string;
  /** ARN of the primary region's bus. */
  readonly bus: string;
  readonly tags: Tags;
}

/**
 * Role with which rules of other regions pass events on, to that bus alone.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
 */
export const eventForwarder = (place: RolePlace, { name, bus, tags }: ForwarderInput): ForwarderPlan => ({
  bus,
  role: {
    name,
    path: place.rolePath,
    arn: roleArn(place, place.rolePath, name),
    trust: {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "RulesPassEventsOn",
          Effect: "Allow",
          Principal: { Service: "events.amazonaws.com" },
          Action: ["sts:AssumeRole"],
          Condition: { StringEquals: { "aws:SourceAccount": [place.account] } },
        },
      ],
    },
    policies: {
      inline: [
        {
          name: "forward-events",
          document: {
            Version: "2012-10-17",
            Statement: [
              { Sid: "ToPrimaryRegion", Effect: "Allow", Action: ["events:PutEvents"], Resource: [bus] },
            ],
          },
        },
      ],
      managed: [],
    },
    ...(place.permissionsBoundary ? { permissionsBoundary: place.permissionsBoundary } : {}),
    tags,
  },
});
