import { groupBy } from "../../model/group-by";
import {
  type AccessCell,
  type EnvironmentPreview,
  PRICES,
  type Preview,
  type Risk,
  requestText,
  type TakerCell,
  word,
  words,
} from "../../preview";
import type { TableData } from "../terminal/table";

/** One part of a preview, as lines or as a table. Lines are Markdown whose names are in code spans. */
export interface Section {
  readonly title: string;
  readonly lines?: readonly string[];
  readonly table?: TableData;
}

/** An environment's part of a preview. */
export interface EnvironmentSections {
  readonly name: string;
  readonly summary: string;
  readonly sections: readonly Section[];
}

/** Environments that change, the most important first within each. @param most entries of each list */
export const sectionsOf = (preview: Preview, most: number): readonly EnvironmentSections[] =>
  preview.environments
    .filter(({ state, endings }) => state !== "unchanged" || endings.length > 0)
    .map((environment) => ({
      name: environment.name,
      summary: summaryOf(environment),
      sections: [
        list(
          "Requests that become possible",
          environment.proof.filter(({ is }) => is === "possible").map(requestText),
          most,
        ),
        list(
          "Not decided, so not safe",
          environment.proof.filter(({ is }) => is === "undecided").map(requestText),
          most,
        ),
        accessSection(environment, most),
        takersSection(environment, most),
        peopleSection(environment, most),
        riskSection("Lost for good, or made anew", environment.risks, "destroys", most),
        riskSection("Weaker than before", environment.risks, "lapses", most),
        riskSection("Fails until somebody acts", environment.risks, "breaks", most),
        list("Grants that end", environment.endings, most),
        list("Work after the merge", environment.people, most),
        secretsSection(environment, most),
        changesSection(environment, most),
        list("Rotations", environment.rotations, most),
        list(
          "Restarts",
          environment.restarts.map((name) => `${word(name)}: its pods are made anew.`),
          most,
        ),
        blastSection(environment, most),
        list("Else", elseOf(environment), most),
      ].filter(({ lines = [], table }) => lines.length > 0 || (table?.rows.length ?? 0) > 0),
    }));

function summaryOf(environment: EnvironmentPreview): string {
  const counts = [
    [environment.added.length, "added"],
    [environment.changed.length, "changed"],
    [environment.renamed.length, "renamed"],
    [environment.replaced.length, "replaced"],
    [environment.destroyed.length, "destroyed"],
  ] as const;
  const texts = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const state =
    environment.state === "added"
      ? "new environment; "
      : environment.state === "removed"
        ? "environment removed; "
        : "";
  return `${state}secrets: ${texts.length === 0 ? "none touched" : texts.join(", ")}; access ${environment.verdict.access}`;
}

const cut = <T>(entries: readonly T[], most: number, rest: (left: number) => T): readonly T[] =>
  entries.length > most ? [...entries.slice(0, most), rest(entries.length - most)] : entries;

const more = (left: number): string => `… and ${left} more.`;

const list = (title: string, lines: readonly string[], most: number): Section => ({
  title,
  lines: cut(lines, most, more),
});

const riskSection = (title: string, risks: readonly Risk[], effect: Risk["effect"], most: number): Section =>
  list(
    title,
    risks.filter((risk) => risk.effect === effect).map(({ text }) => text),
    most,
  );

function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  most: number,
): Section {
  return {
    title,
    table: { head, rows: cut(rows, most, (left) => [more(left), ...head.slice(1).map(() => "")]) },
  };
}

/** Cells of one principal together: a registry of a thousand secrets has few principals. */
function grouped(sign: string, cells: readonly AccessCell[]): readonly (readonly string[])[] {
  const bySecret = groupBy(cells, ({ arn, store, secret }) => [`${arn} ${store} ${secret}`]);
  const entries = [...bySecret.values()].map((same) => ({
    cell: same[0] as AccessCell,
    can: same
      .map(({ can }) => can)
      .sort()
      .join(", "),
  }));
  const byPrincipal = groupBy(entries, ({ cell, can }) => [`${cell.arn} ${cell.store} ${can}`]);
  return [...byPrincipal.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const { kind, name, store } = first.cell;
    return [
      [sign, `${kind} ${word(name)}`, first.can, words(same.map(({ cell }) => cell.secret).sort()), store],
    ];
  });
}

const accessSection = ({ access }: EnvironmentPreview, most: number): Section =>
  table(
    "Access",
    ["", "who", "can", "secrets", "store"],
    [...grouped("gains", access.gained), ...grouped("loses", access.lost)],
    most,
  );

function takersSection({ access }: EnvironmentPreview, most: number): Section {
  const rows = (sign: string, takers: readonly TakerCell[]) =>
    takers.map(({ name, at, taker }) => [sign, word(name), word(at), word(taker)]);
  return table(
    "Who can be whom",
    ["", "role of", "at", "token"],
    [...rows("gains", access.takersGained), ...rows("loses", access.takersLost)],
    most,
  );
}

const peopleSection = ({ access }: EnvironmentPreview, most: number): Section =>
  table(
    "People",
    ["", "role", "may"],
    [
      ...access.peopleGained.map(({ may, arn }) => ["gains", word(arn), may]),
      ...access.peopleLost.map(({ may, arn }) => ["loses", word(arn), may]),
    ],
    most,
  );

const secretsSection = ({ added, renamed, replaced, destroyed }: EnvironmentPreview, most: number): Section =>
  table(
    "Secrets",
    ["", "secret", "of it"],
    [
      ...destroyed.map(({ secret }) => ["destroyed", word(secret), ""]),
      ...replaced.map(({ secret, why }) => ["replaced", word(secret), why]),
      ...renamed.map(({ from, to }) => ["renamed", word(to), `was ${word(from)}`]),
      ...added.map(({ secret, store, kind, consumers, regions }) => [
        "added",
        word(secret),
        `${kind === undefined ? "" : `${word(kind)}, `}${store}, in ${words(regions)}, read by ${consumers.length === 0 ? "nobody" : words(consumers)}`,
      ]),
    ],
    most,
  );

const changesSection = ({ changed, settings }: EnvironmentPreview, most: number): Section =>
  table(
    "Settings",
    ["of", "what", "before", "after"],
    [
      ...settings.map(({ what, before, after }) => [
        "the environment",
        word(what),
        word(before),
        word(after),
      ]),
      ...changed.flatMap(({ secret, differences }) =>
        differences.map(({ what, before, after }) => [word(secret), word(what), word(before), word(after)]),
      ),
    ],
    most,
  );

const blastSection = ({ blast }: EnvironmentPreview, most: number): Section =>
  table(
    "Blast radius",
    ["secret", "read by", "rotated with it", "watched by no check", "what breaks"],
    blast.map(({ secret, consumers, dependents, unwatched, breaks }) => [
      word(secret),
      consumers.length === 0 ? "nobody" : words(consumers),
      dependents.length === 0 ? "nothing" : words(dependents),
      unwatched.length === 0 ? "none" : words(unwatched),
      breaks,
    ]),
    most,
  );

const dollars = (amount: number): string => `$${amount.toFixed(2)}`;

function elseOf({ functions, resources, cost }: EnvironmentPreview): readonly string[] {
  const { before, after } = cost;
  const parts = (["secrets", "keys", "alarms", "functions", "calls"] as const)
    .filter((part) => before[part] !== after[part])
    .map((part) => `${part} ${dollars(before[part])} → ${dollars(after[part])}`);
  return [
    ...(functions.added + functions.removed + functions.newCode > 0
      ? [
          `Functions: ${functions.newCode} with other settings or code, ${functions.added} added, ${functions.removed} removed.`,
        ]
      : []),
    ...(resources
      ? [
          `Terraform by its ${resources.from === "plan" ? "plan" : "configuration"}: ${resources.added} to add, ${resources.changed} to change (${resources.codeOnly} of them functions' code alone), ${resources.replaced} to replace, ${resources.destroyed} to destroy.`,
        ]
      : []),
    `A month costs ${dollars(before.total)} before and ${dollars(after.total)} after${parts.length === 0 ? "" : `: ${parts.join(", ")}`} (list prices of ${PRICES.region}, ${PRICES.date}).`,
  ];
}
