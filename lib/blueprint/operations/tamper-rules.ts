import { forwarderRoleName, ruleName } from "../../model/names";
import type { Environment, Registry } from "../../model/registry";
import { eventBusArn, ruleArn } from "../platform/aws-arns";
import { eventForwarder } from "../platform/event-forwarder";
import type { ForwarderPlan, PageText, RulePlan } from "../platform/rule-plan";
import { commonTags } from "../platform/tags";
import { globalEventsRegion, type TamperWatch, tamperWatches } from "./tamper-watch";

/** Fields of CloudTrail's record that a page shows. No record of these calls holds a value. */
const PATHS = {
  account: "$.account",
  call: "$.detail.eventName",
  error: "$.detail.errorCode",
  event: "$.detail.eventID",
  region: "$.detail.awsRegion",
  source: "$.detail.sourceIPAddress",
  time: "$.detail.eventTime",
  who: "$.detail.userIdentity.arn",
} as const;

/** Input templates are JSON, hence the quotes. */
const pageText = (description: string): PageText => ({
  paths: PATHS,
  template: JSON.stringify(
    `${description}. <call> by <who> from <source> in <region>, account <account>, at <time>. Refused with: <error> (nothing: it was done). CloudTrail event <event>.`,
  ),
});

/** Rules that page when somebody dismantles what protects an environment, and the way of events from other regions. */
export function tamperRules(
  registry: Registry,
  environment: Environment,
): { readonly rules: readonly RulePlan[]; readonly forwarder?: ForwarderPlan } {
  const { primary } = environment.regions;
  const bus = eventBusArn(environment, primary);
  const watches = tamperWatches(registry, environment);
  const rule = (watch: TamperWatch, region: string): RulePlan => {
    const word = region === primary ? watch.word : `${watch.word}--${region}`;
    const name = ruleName(registry.id, environment.name, watch.word);
    return {
      name,
      word,
      arn: ruleArn(environment, region, name),
      description: watch.description,
      when: { pattern: watch.pattern },
      ...(region === primary
        ? { target: { topic: "alarms", text: pageText(watch.description) } }
        : { region, target: { bus } }),
    };
  };
  const rules = watches.flatMap((watch) =>
    [...new Set([primary, ...regionsOf(watch, environment)])].map((region) => rule(watch, region)),
  );
  const forwarding = rules.filter(({ region }) => region !== undefined);
  if (forwarding.length === 0) return { rules };
  const name = forwarderRoleName(registry.id, environment.name);
  return {
    rules,
    forwarder: eventForwarder(environment, { name, bus, tags: commonTags(registry, environment) }),
  };
}

function regionsOf({ at }: TamperWatch, { allRegions, partition }: Environment): readonly string[] {
  switch (at) {
    case "primary":
      return [];
    case "everywhere":
      return allRegions;
    case "global":
      return [globalEventsRegion(partition)];
  }
}
