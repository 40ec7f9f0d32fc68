import { type AlarmPlan, blueprint, type RulePlan } from "../../lib/blueprint";
import { formatDuration, type Registry } from "../../lib/model";
import { CADENCE_METRIC, CADENCE_STATES, METRIC_NAMESPACE } from "../../lib/model/names";
import { code, page, table } from "./page";

/** Page of rules, alarms, topics and the metric, by what one environment has. */
export function eventsPage(registry: Registry, environment: string): string {
  const { operations, procedure } = blueprint(registry, environment);
  if (!operations || !procedure) throw new Error(`${environment} has no functions`);
  const own = operations.rules.filter(({ region }) => region === undefined);
  const pages = own.filter(({ target }) => "topic" in target);
  const others = own.filter(({ target }) => !("topic" in target));
  return page("Events and alarms", [
    `Words of names: \`<registry>-<environment>-secrets-<word>\`. An environment with all kinds of functions has all of these; the page shows ${environment} of this registry.`,
    "## Topics",
    table({
      head: ["topic", "who subscribes"],
      rows: [
        [code("…-secrets-alarms"), "whoever is on call"],
        [code("…-secrets-approvals"), "approvers: each message is a request, with the command that decides"],
        [code("…-secrets-reminders"), "owners of secrets that people rotate"],
      ],
    }),
    "## Alarms",
    "CloudWatch alarms at the first data point of 1 or more; the topic hears of the beginning and of the end.",
    table({
      head: ["word", "says", "metric", "period", "topic"],
      rows: [
        ...procedure.alarms.map((alarm) => [
          code(alarm.word),
          alarm.description + (alarm.whenMissing === "breaching" ? "; silence is an alarm too" : ""),
          code(metricOf(alarm)),
          formatDuration({ seconds: alarm.periodSeconds }),
          alarm.topic,
        ]),
        [
          code("<function>-fails"),
          "A function fails (one alarm for each)",
          code("AWS/Lambda Errors"),
          "5 minutes",
          "alarms",
        ],
        [
          code("dead-letters"),
          "Events that no function took",
          code("AWS/SQS ApproximateNumberOfMessagesVisible"),
          "5 minutes",
          "alarms",
        ],
      ],
    }),
    "## Metric",
    `The watcher writes \`${METRIC_NAMESPACE}\` \`${CADENCE_METRIC}\`, how many secrets are in a state: dimensions \`registry\`, \`environment\` and \`state\` (${CADENCE_STATES.map(code).join(", ")}).`,
    "## Events that page",
    "EventBridge rules that send a text to the topic of alarms. They rest on a CloudTrail trail that logs management events (`secrets-registry preflight` looks for one). Rules of other regions send their events to the primary one.",
    table({
      head: ["word", "pages when"],
      rows: pages.map(({ word, description }) => [code(word), description]),
    }),
    "## Events that start functions",
    table({
      head: ["word", "when", "does", "function"],
      rows: others.map((rule) => [code(rule.word), whenOf(rule), rule.description, functionOf(rule)]),
    }),
  ]);
}

const metricOf = ({ namespace, metric, dimensions }: AlarmPlan): string =>
  `${namespace} ${metric}${dimensions.state === undefined ? "" : ` state=${dimensions.state}`}`;

function whenOf({ when }: RulePlan): string {
  if ("every" in when) return `every ${formatDuration(when.every)}`;
  const { "detail-type": types } = when.pattern as { readonly "detail-type": readonly string[] };
  return types.map(code).join(", ");
}

const functionOf = ({ target }: RulePlan): string =>
  "function" in target ? code(target.function.replace(/^.*--/, "")) : "";
