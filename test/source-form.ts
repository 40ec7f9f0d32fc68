import ts from "typescript";

/** A module's text by its path. */
export type Sources = ReadonlyMap<string, string>;

const parsed = (path: string, text: string): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest);

/** Names that a module declares and exports itself; what an index passes on is declared elsewhere. */
function exportedNames(path: string, text: string): readonly string[] {
  const names = parsed(path, text).statements.flatMap((statement): readonly string[] => {
    if (!ts.canHaveModifiers(statement)) return [];
    if (!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.flatMap(({ name }) =>
        ts.isIdentifier(name) ? [name.text] : [],
      );
    }
    const { name } = statement as ts.Statement & { readonly name?: ts.Node };
    return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
  });
  // A type and its value, or a function's overloads, are one name.
  return [...new Set(names)];
}

/** Names that two modules export, with the modules. Entries of functions are called `handler`, because that is what Lambda's setting names. */
export function namesOfSeveral(sources: Sources): readonly string[] {
  const modules = new Map<string, string[]>();
  for (const [path, text] of sources) {
    for (const name of exportedNames(path, text)) {
      if (name === "handler" && path.includes("/handlers/")) continue;
      modules.set(name, [...(modules.get(name) ?? []), path]);
    }
  }
  return [...modules]
    .filter(([, paths]) => paths.length > 1)
    .map(([name, paths]) => `${name}: ${paths.join(", ")}`)
    .sort();
}

/** Begin of a doc comment that does not name its thing: "What a call came to." in place of "Result of a call." */
const UNNAMED =
  /\/\*\*\s*(?:\* ?)?(What|Whatever|Whether|Who|Whoever|Whom|Whose|When|Whenever|Where|Wherever|Which|Why|How|That)\b/g;

/** Doc comments that do not begin with the name of a thing: `lib/a.ts:12: What`. */
export const unnamedThings = (sources: Sources): readonly string[] =>
  [...sources].flatMap(([path, text]) =>
    [...text.matchAll(UNNAMED)].map(
      ({ index, 1: word }) => `${path}:${text.slice(0, index).split("\n").length}: ${word}`,
    ),
  );

/** Words that this project says otherwise: fix, redact, valid. An issue that anybody can follow is linked. */
const OTHERWISE =
  /\b(mend(?:s|ed|ing)?|blot(?:s|ted|ting)? out|bur(?:y|ies|ied)|unsound|sound(?:ness)?)\b|\bissue #?\d+\b(?!\]\(https:)/gi;

/** Words for which there is a better one, and issues that a reader cannot see: `lib/a.ts:12: mended`. */
export const saidOtherwise = (sources: Sources): readonly string[] =>
  [...sources].flatMap(([path, text]) =>
    [...text.matchAll(OTHERWISE)].map(
      ({ index, 0: word }) => `${path}:${text.slice(0, index).split("\n").length}: ${word}`,
    ),
  );

/** Lines of a file that a person still reads in one go. */
const LONGEST = 400;

/** Files of more than 400 lines that do not say at their top why they are in one piece (`// One file: …`), with their lines. */
export const longFiles = (sources: Sources): readonly string[] =>
  [...sources].flatMap(([path, text]) => {
    const lines = text.trimEnd().split("\n").length;
    return lines <= LONGEST || text.startsWith("// One file: ") ? [] : [`${path}: ${lines} lines`];
  });
