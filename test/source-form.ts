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
