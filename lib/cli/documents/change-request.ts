import { stringify } from "yaml";
import { CHANGE_REQUESTS, type ChangeFacts, type ChangeRequest } from "../../contracts";
import { markdownTable } from "../terminal/table";
import { checkTable } from "./check-table";
import { prose } from "./prose";

/** The file of a change request: front matter, what it says for readers, check list and sign-off. */
export const renderChangeRequest = (change: ChangeRequest): string =>
  `---\n${stringify(change, { lineWidth: 0 })}---\n${renderChangeFacts(change)}${forPeople(change)}`;

/** Text of the front matter, for readers. `change check` compares it, so that nobody approves what is not asked for. */
export const renderChangeFacts = (change: ChangeRequest): string =>
  [
    "",
    `# Change of ${change.secret}`,
    `> ${prose(change.reason)}`,
    markdownTable({
      head: ["OWNER", "REQUESTER", "APPROVERS"],
      rows: [[change.owner, change.requester, change.approvers.join(", ") || "nobody asked for"]],
    }),
    "## Schedule",
    markdownTable({
      head: ["ENVIRONMENT", "DAY", "MODE", "PUBLISH LEAD", "OVERLAP", "APPROVAL"],
      rows: entriesOf(change).map(([environment, day, facts]) => [
        environment,
        day,
        facts.mode,
        hours(facts.publishLeadHours),
        hours(facts.overlapHours),
        facts.approval,
      ]),
    }),
    "## Blast radius",
    ...entriesOf(change).flatMap(([environment, , facts]) => [`### ${environment}`, ...radiusOf(facts)]),
    "",
  ]
    .join("\n\n")
    .slice(1);

function radiusOf(facts: ChangeFacts): readonly string[] {
  const places = [
    `Regions: ${facts.regions.join(", ")}.`,
    `Vaults: ${facts.vaults.join(", ") || "none"}.`,
    facts.dependents.length === 0
      ? "No other secret depends on it."
      : `Dependents: ${facts.dependents.join("; ")}.`,
  ].join(" ");
  const consumers = markdownTable({
    head: ["CONSUMER", "NAMESPACE", "SERVICE ACCOUNT", "CLUSTERS", "FILES", "RELOAD"],
    rows: facts.consumers.map((consumer) => [
      consumer.workload,
      consumer.namespace,
      consumer.serviceAccount,
      consumer.clusters.join(", "),
      consumer.files.join(", "),
      consumer.reload,
    ]),
  });
  return [
    places,
    facts.consumers.length === 0 ? "No workload reads it." : consumers,
    facts.checks.length === 0 ? "No check watches it." : markdownTable(checkTable(facts.checks)),
    ...(facts.unwatched.length === 0 ? [] : [`**No check watches ${facts.unwatched.join(", ")}.**`]),
    `If it goes wrong: ${facts.breaks}`,
    `Roll-back: ${facts.rollback}`,
  ];
}

/** Part that people tick and sign; it does not count for the digest. */
function forPeople(change: ChangeRequest): string {
  const days = Object.values(change.schedule).sort();
  return [
    "## Checklist",
    [
      `- [ ] Somebody other than ${change.requester} has approved this file on the protected branch`,
      ...entriesOf(change).flatMap(([environment, day, facts]) => stepsOf(change, environment, day, facts)),
      `- [ ] Archived: \`secrets-registry log archive --since ${days[0]}\`, and the log signed`,
    ].join("\n"),
    "## Sign-off",
    "<!-- One line for each who has seen it done: Signed-off-by: Name <name@example.com> (2026-11-25) -->\n",
  ].join("\n\n");
}

function stepsOf(
  { id, secret }: ChangeRequest,
  environment: string,
  day: string,
  facts: ChangeFacts,
): readonly string[] {
  const command = `secrets-registry rotate ${secret} --env ${environment} --change ${CHANGE_REQUESTS}/${id}.md`;
  const start = {
    automatic: [`\`${command}\``],
    "operator-assisted": [
      `\`${command} --value-from stdin\` with the vendor's new value`,
      ...(facts.publishLeadHours > 0
        ? [`${hours(facts.publishLeadHours)} later the same command puts the published webhook secret to use`]
        : []),
    ],
    "manual-dual-publish": [
      `\`${command} --phase publish\``,
      `${hours(facts.publishLeadHours)} later: \`${command} --phase promote\``,
    ],
  }[facts.mode];
  const look =
    facts.unwatched.length === 0 ? "" : `, and somebody has looked at ${facts.unwatched.join(", ")}`;
  return [
    ...start.map((step, index) =>
      index === 0 ? `- [ ] ${environment}, ${day}: ${step}` : `- [ ] ${environment}, ${step}`,
    ),
    `- [ ] ${environment}, verified: ${facts.checks.length === 0 ? "the kind's own login" : `${facts.checks.length} checks and the kind's own login`}${look}`,
    ...(facts.approval === "required" ? [`- [ ] ${environment}, decommission approved`] : []),
    ...(facts.overlapHours === 0
      ? []
      : [
          `- [ ] ${environment}, ${hours(facts.overlapHours)} after every Vault had it: old credential decommissioned`,
        ]),
  ];
}

const entriesOf = ({
  schedule,
  environments,
}: ChangeRequest): readonly (readonly [string, string, ChangeFacts])[] =>
  Object.entries(schedule).flatMap(([environment, day]) => {
    const facts = environments[environment];
    return facts === undefined ? [] : [[environment, day, facts] as const];
  });

const hours = (count: number): string => (count === 0 ? "none" : `${count} hour${count === 1 ? "" : "s"}`);
