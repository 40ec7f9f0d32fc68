import type { EnvironmentPreview, Preview } from "../../lib/preview";

/** An environment's preview in lines that a table of expectations can hold. */
export function summaryOf(preview: Preview, name: string): readonly string[] {
  const environment = preview.environments.find((entry) => entry.name === name);
  if (environment === undefined || environment.state === "unchanged") return [];
  return [...stateLines(environment), ...accessLines(environment), ...riskLines(environment)];
}

function stateLines(environment: EnvironmentPreview): readonly string[] {
  return [
    ...(environment.state === "changed" ? [] : [`environment ${environment.state}`]),
    ...environment.added.map(({ secret }) => `added ${secret}`),
    ...environment.destroyed.map(({ secret }) => `destroyed ${secret}`),
    ...environment.replaced.map(({ secret }) => `replaced ${secret}`),
    ...environment.renamed.map(({ from, to }) => `renamed ${from} to ${to}`),
    ...environment.settings.map(({ what, before, after }) => `${what}: ${before} > ${after}`),
    ...environment.changed.flatMap(({ secret, differences }) =>
      differences.map(({ what, before, after }) => `${secret} ${what}: ${before} > ${after}`),
    ),
  ];
}

/** By workloads; people and functions follow from the rest, and a property compares them all. */
function accessLines({ access }: EnvironmentPreview): readonly string[] {
  const cells = (sign: string, list: typeof access.gained) =>
    list
      .filter(({ kind }) => kind === "workload")
      .map(({ name, can, secret }) => `${sign} ${name} ${can} ${secret}`);
  const takers = (sign: string, list: typeof access.takersGained) =>
    list.map(({ name, at, taker }) => `${sign} ${name} at ${at}: ${taker.replace(/ .*/, "")}`);
  const people = (sign: string, list: typeof access.peopleGained) =>
    list.map(({ may, arn }) => `${sign} ${may} ${arn.replace(/.*\//, "")}`);
  return [
    ...cells("+", access.gained),
    ...cells("-", access.lost),
    ...takers("+", access.takersGained),
    ...takers("-", access.takersLost),
    ...people("+", access.peopleGained),
    ...people("-", access.peopleLost),
  ];
}

function riskLines({ risks, restarts }: EnvironmentPreview): readonly string[] {
  return [
    ...risks.map(({ kind, secret }) => `risk ${kind}${secret === undefined ? "" : ` ${secret}`}`),
    ...restarts.map((workload) => `restarts ${workload}`),
  ];
}
