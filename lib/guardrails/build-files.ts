import { DockerfileParser, type PropertyInstruction } from "dockerfile-ast";
import { parseAllDocuments } from "yaml";
import { isRecord } from "../model/is-record";
import { GUARDRAILS, type GuardrailFinding } from "./guardrail";
import { isSecretName } from "./literals";
import { escaped } from "./view/glob";

/** `true` for the name of a Dockerfile: `Dockerfile`, `api.Dockerfile`, `Dockerfile.dev`, `Containerfile`. */
export const isDockerfile = (path: string): boolean =>
  /(?:^|\/)(?:[\w.-]+\.)?(?:Dockerfile|Containerfile)(?:\.[\w-]+)?$/i.test(path);

/** `true` for the name of a file of YAML. */
export const isYaml = (path: string): boolean => /\.ya?ml$/i.test(path);

const CHANGE =
  "Give the build the id of a secret (secretReference) and let the workload read it when it runs, or mount it: RUN --mount=type=secret";

const found = (path: string, line: number | undefined, what: string): GuardrailFinding => ({
  rule: "SR003",
  severity: GUARDRAILS.SR003.severity,
  address: path,
  at: line === undefined ? "" : `line ${line}`,
  found: what,
  change: CHANGE,
});

/**
 * SR003 in a Dockerfile: an argument or a variable of the image with a secret's name. Both stay in the image and its
 * history, whatever they are set by; names of ids (`…_SECRET_ID`, `…_ARN`) are free.
 */
export const dockerfileBreaches = (path: string, text: string): readonly GuardrailFinding[] =>
  DockerfileParser.parse(text)
    .getInstructions()
    .flatMap((instruction) => {
      const keyword = instruction.getKeyword().toUpperCase();
      if (keyword !== "ARG" && keyword !== "ENV") return [];
      return (instruction as PropertyInstruction)
        .getProperties()
        .filter((property) => isSecretName(property.getName()))
        .map((property) =>
          found(
            path,
            property.getRange().start.line + 1,
            `${keyword} ${property.getName()} puts a secret into the image's history`,
          ),
        );
    });

/** SR003 in YAML of Compose, GitHub Actions and charts of builds: build arguments with a secret's name. */
export function yamlBuildBreaches(path: string, text: string): readonly GuardrailFinding[] {
  // Templates of charts are no YAML; what cannot be read holds no build that a program would start.
  const documents = parseAllDocuments(text, { logLevel: "silent" });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    if (document.errors.length > 0) return [];
    const names: string[] = [];
    collect(
      safely(() => document.toJS({ maxAliasCount: 100 })),
      "",
      names,
    );
    return names
      .filter(isSecretName)
      .map((name) => found(path, lineOf(text, name), `the build argument ${name} takes a secret`));
  });
}

function safely(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    // Aliases that refer to aliases without an end.
    return undefined;
  }
}

function collect(value: unknown, at: string, names: string[]): void {
  if (Array.isArray(value)) for (const entry of value) collect(entry, at, names);
  if (!isRecord(value)) return;
  for (const [key, entry] of Object.entries(value)) {
    if (/^build[-_]?args$/i.test(key) || (key === "args" && at === "build"))
      names.push(...argumentNames(entry));
    else collect(entry, key, names);
  }
}

/** Names in a map, in a list of `NAME=value`, or in lines of them. */
function argumentNames(value: unknown): readonly string[] {
  if (typeof value === "string") return value.split("\n").flatMap((line) => line.split("=")[0]?.trim() || []);
  if (Array.isArray(value)) return value.flatMap(argumentNames);
  return isRecord(value) ? Object.keys(value) : [];
}

const lineOf = (text: string, name: string): number | undefined => {
  const at = text.search(new RegExp(`\\b${escaped(name)}\\b`));
  return at < 0 ? undefined : text.slice(0, at).split("\n").length;
};

/** SR003 in scripts, pipelines and anything else: `--build-arg` with a secret's name. */
export const buildCommandBreaches = (path: string, text: string): readonly GuardrailFinding[] =>
  text.split("\n").flatMap((line, index) =>
    [...line.matchAll(/--build-arg[=\s]+["']?([A-Za-z_]\w*)/g)]
      .map(([, name = ""]) => name)
      .filter(isSecretName)
      .map((name) => found(path, index + 1, `the build argument ${name} takes a secret`)),
  );
