/** One action of a template: the text between its braces, with its strings taken out. */
interface Action {
  readonly text: string;
  /** Texts of its strings, in their order. */
  readonly strings: readonly string[];
}

/** Reading of a template as Go's `text/template` reads it, as far as that goes without running it. */
export type TemplateReading =
  | { readonly actions: readonly Action[]; readonly problem?: undefined }
  | { readonly problem: string };

const STRING = /^(?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)')/;
/** Actions that an `end` closes. */
const OPENS = /^(if|range|with|block|define)\b/;

/**
 * The actions of a template. Source of the rules: https://pkg.go.dev/text/template
 *
 * @returns what is wrong with it, if that shows without running it
 */
export function readTemplate(template: string): TemplateReading {
  const actions: Action[] = [];
  let rest = template;
  let depth = 0;
  for (;;) {
    const start = rest.indexOf("{{");
    if (start < 0) break;
    const { action, after } = actionAt(rest.slice(start + 2));
    if (action === undefined) return { problem: "an action that no }} ends" };
    rest = after;
    actions.push(action);
    if (OPENS.test(action.text)) depth += 1;
    if (/^end$/.test(action.text)) depth -= 1;
    if (depth < 0) return { problem: "an {{ end }} that ends nothing" };
  }
  return depth === 0 ? { actions } : { problem: `${depth} of with, if or range without {{ end }}` };
}

/** The action at the start of a text, and what follows it. */
function actionAt(text: string): { readonly action: Action | undefined; readonly after: string } {
  const comment = /^-?\s*\/\*[\s\S]*?\*\/\s*-?\}\}/.exec(text);
  if (comment) return { action: { text: "", strings: [] }, after: text.slice(comment[0].length) };
  const strings: string[] = [];
  let words = "";
  for (let at = 0; at < text.length; ) {
    const left = text.slice(at);
    if (left.startsWith("}}")) {
      const bare = words.replace(/^-\s/, "").replace(/\s-$/, "").trim();
      return { action: { text: bare, strings }, after: left.slice(2) };
    }
    const string = STRING.exec(left)?.[0];
    if (string === undefined) {
      words += left.charAt(0);
      at += 1;
    } else {
      strings.push(string.slice(1, -1));
      words += '""';
      at += string.length;
    }
  }
  return { action: undefined, after: "" };
}

/** A field of what a secret is read as: `.Data.data.password`, `index .Data.data "api-key"`. */
export interface FieldRead {
  /** `Data` and what follows, as it is written. */
  readonly path: readonly string[];
  /** A hyphen follows, which no identifier has: Go refuses the template. */
  readonly hyphenated: boolean;
}

/** The fields that a template's actions read of `.Data`. */
export function fieldsRead(actions: readonly Action[]): readonly FieldRead[] {
  return actions.flatMap(({ text, strings }) => {
    const direct = [...text.matchAll(/(?<![\w)\]])\.(Data(?:\.\w+)*)(-\w)?/g)].map(
      ([, path = "", hyphen]): FieldRead => ({ path: path.split("."), hyphenated: hyphen !== undefined }),
    );
    const before = [...text.matchAll(/""|index\s+\.(Data(?:\.\w+)*)\s+(?="")/g)];
    let place = 0;
    const indexed = before.flatMap(([, path]): FieldRead[] => {
      if (path === undefined) {
        place += 1;
        return [];
      }
      return [{ path: [...path.split("."), strings[place] ?? ""], hyphenated: false }];
    });
    return [...direct, ...indexed];
  });
}
