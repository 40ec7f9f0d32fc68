import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** One property of a type, as its author wrote it. */
export interface SourceProperty {
  readonly name: string;
  readonly optional: boolean;
  readonly type: string;
  readonly comment: string;
}

/** One exported interface or type alias. */
export interface SourceType {
  readonly name: string;
  readonly comment: string;
  /** Empty for an alias that is no object. */
  readonly properties: readonly SourceProperty[];
  /** Text of an alias; `undefined` for an interface. */
  readonly alias: string | undefined;
}

const ROOT = join(__dirname, "../..");

/** The syntax tree of a file; no types are computed. */
export const sourceFile = (path: string): ts.SourceFile =>
  ts.createSourceFile(path, readFileSync(join(ROOT, path), "utf8"), ts.ScriptTarget.ES2022, true);

/** Doc comment of a node in one line. */
export function commentOf(node: ts.Node): string {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  return oneLine(ts.getTextOfJSDocComment(doc?.comment) ?? "").replace(/\{@link (\w+)\}/g, "`$1`");
}

/** Text without line breaks. */
const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/** Interfaces and type aliases of a file, in its order. */
export const typesOf = (path: string): readonly SourceType[] =>
  sourceFile(path).statements.flatMap((statement): readonly SourceType[] => {
    if (ts.isInterfaceDeclaration(statement)) {
      return [
        {
          name: statement.name.text,
          comment: commentOf(statement),
          properties: statement.members.filter(ts.isPropertySignature).map(propertyOf),
          alias: undefined,
        },
      ];
    }
    if (ts.isTypeAliasDeclaration(statement)) {
      return [
        {
          name: statement.name.text,
          comment: commentOf(statement),
          properties: [],
          alias: oneLine(
            ts
              .createPrinter({ removeComments: true })
              .printNode(ts.EmitHint.Unspecified, statement.type, statement.getSourceFile()),
          ),
        },
      ];
    }
    return [];
  });

const propertyOf = (member: ts.PropertySignature): SourceProperty => ({
  name: member.name.getText(),
  optional: member.questionToken !== undefined,
  type: member.type
    ? oneLine(
        ts
          .createPrinter({ removeComments: true })
          .printNode(ts.EmitHint.Unspecified, member.type, member.getSourceFile()),
      ).replaceAll("readonly ", "")
    : "",
  comment: commentOf(member),
});
