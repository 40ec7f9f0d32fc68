import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/** A declaration: the file that declares it, and its name there. */
interface Place {
  readonly file: string;
  readonly name: string;
}

const keyOf = ({ file, name }: Place): string => `${file}#${name}`;

/** One declaration file, as far as names go. */
interface Module {
  /** Top-level declarations by name; overloads and merged ones together. */
  readonly declared: ReadonlyMap<string, readonly ts.Node[]>;
  /** Local name of each import from a file of ours: the place it is of. */
  readonly imported: ReadonlyMap<string, Place>;
  /** Names of its exports, and what each is. */
  readonly exported: ReadonlyMap<string, Place>;
  /** Files whose exports are its exports too. */
  readonly stars: readonly string[];
}

/**
 * Types of ours that exported declarations name and that no entry exports: authors cannot name them. Reads declaration
 * files alone, so that inferred types count as they are published.
 *
 * @param entries declaration files of the package's entries
 * @returns sorted: `<exporting declaration> names <type> of <file>`
 */
export function forgottenExports(folder: string, entries: readonly string[]): readonly string[] {
  const modules = new Map<string, Module>();
  const load = (file: string): Module => {
    const known = modules.get(file);
    if (known) return known;
    const read = moduleOf(file);
    modules.set(file, read);
    return read;
  };
  /** Declaration of a name, through re-exports; `undefined`: not ours. */
  const origin = ({ file, name }: Place): Place | undefined => {
    const { declared, imported, exported, stars } = load(file);
    const next = exported.get(name);
    if (next && keyOf(next) !== keyOf({ file, name })) return origin(next);
    if (declared.has(name)) return { file, name };
    const from = imported.get(name);
    if (from) return origin(from);
    for (const star of stars) {
      const found = origin({ file: star, name });
      if (found) return found;
    }
    return undefined;
  };
  const exportsOf = (file: string): readonly Place[] => {
    const { exported, stars } = load(file);
    return [
      ...[...exported.keys()].flatMap((name) => origin({ file, name }) ?? []),
      ...stars.flatMap(exportsOf),
    ];
  };

  const published = new Map(entries.flatMap(exportsOf).map((place) => [keyOf(place), place]));
  const forgotten = new Set<string>();
  for (const place of published.values()) {
    for (const node of load(place.file).declared.get(place.name) ?? []) {
      for (const reference of referencesIn(node, place.file)) {
        const declared = origin(reference);
        if (declared && !published.has(keyOf(declared))) {
          forgotten.add(`${place.name} names ${declared.name} of ${relative(folder, declared.file)}`);
        }
      }
    }
  }
  return [...forgotten].sort();
}

function moduleOf(file: string): Module {
  const declared = new Map<string, ts.Node[]>();
  const imported = new Map<string, Place>();
  const exported = new Map<string, Place>();
  const stars: string[] = [];
  const declare = (name: string, node: ts.Node, isExported: boolean): void => {
    declared.set(name, [...(declared.get(name) ?? []), node]);
    if (isExported) exported.set(name, { file, name });
  };
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  for (const statement of source.statements) {
    const isExported =
      ts.canHaveModifiers(statement) &&
      (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (ts.isImportDeclaration(statement)) {
      const from = fileOf(file, statement.moduleSpecifier);
      const bindings = statement.importClause?.namedBindings;
      if (from && bindings && ts.isNamedImports(bindings)) {
        for (const { name, propertyName } of bindings.elements) {
          imported.set(name.text, { file: from, name: (propertyName ?? name).text });
        }
      }
    } else if (ts.isExportDeclaration(statement)) {
      const from = statement.moduleSpecifier ? fileOf(file, statement.moduleSpecifier) : file;
      if (from === undefined) continue;
      if (!statement.exportClause) stars.push(from);
      else if (ts.isNamedExports(statement.exportClause)) {
        for (const { name, propertyName } of statement.exportClause.elements) {
          exported.set(name.text, { file: from, name: (propertyName ?? name).text });
        }
      }
    } else if (ts.isVariableStatement(statement)) {
      for (const { name, ...rest } of statement.declarationList.declarations) {
        if (ts.isIdentifier(name)) declare(name.text, rest.type ?? statement, isExported);
      }
    } else if (
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      ts.isClassDeclaration(statement) ||
      ts.isFunctionDeclaration(statement) ||
      ts.isEnumDeclaration(statement)
    ) {
      if (statement.name) declare(statement.name.text, statement, isExported);
    }
  }
  return { declared, imported, exported, stars };
}

/** Declaration file of a relative module name; `undefined`: another package. */
function fileOf(from: string, specifier: ts.Expression): string | undefined {
  if (!ts.isStringLiteral(specifier) || !specifier.text.startsWith(".")) return undefined;
  const path = join(dirname(from), specifier.text);
  return [`${path}.d.ts`, join(path, "index.d.ts")].find(existsSync);
}

/** Names of types in a declaration, without what is private and without its own type parameters. */
function referencesIn(node: ts.Node, file: string): readonly Place[] {
  const found: Place[] = [];
  const own = new Set<string>();
  const visit = (inner: ts.Node): void => {
    if (ts.isClassElement(inner) && isPrivate(inner)) return;
    if (ts.isTypeParameterDeclaration(inner)) own.add(inner.name.text);
    if (ts.isTypeReferenceNode(inner) && ts.isIdentifier(inner.typeName)) {
      found.push({ file, name: inner.typeName.text });
    }
    if (ts.isExpressionWithTypeArguments(inner) && ts.isIdentifier(inner.expression)) {
      found.push({ file, name: inner.expression.text });
    }
    if (ts.isImportTypeNode(inner) && ts.isLiteralTypeNode(inner.argument) && inner.qualifier) {
      const from = fileOf(file, inner.argument.literal as ts.StringLiteral);
      if (from && ts.isIdentifier(inner.qualifier)) found.push({ file: from, name: inner.qualifier.text });
    }
    ts.forEachChild(inner, visit);
  };
  visit(node);
  return found.filter(({ name }) => !own.has(name));
}

const isPrivate = (element: ts.ClassElement): boolean =>
  (element.name !== undefined && ts.isPrivateIdentifier(element.name)) ||
  (ts.canHaveModifiers(element) &&
    (ts.getModifiers(element) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword));
