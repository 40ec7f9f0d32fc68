import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

/**
 * Builds the rehearsal's package: its own modules compiled, and each import that leaves them made one of the main package's,
 * so that a registry, a fault and the functions' code are the same things to both.
 */
const root = join(__dirname, "..");
const home = join(root, "packages/rehearsal");
const dist = join(home, "dist");
const emitted = join(dist, "emitted");
const source = join(emitted, "packages/rehearsal/src");

/** Specifier of a module of the main package, in the code that a module of ours is compiled to. */
function specifierOf(specifier: string, importer: string): string {
  const target = resolve(dirname(importer), specifier);
  if (target.startsWith(source + sep)) return specifier;
  const file = existsSync(`${target}.js`) ? target : join(target, "index");
  if (!existsSync(`${file}.js`)) throw new Error(`${importer} imports ${specifier}, which was not compiled`);
  const place = relative(emitted, file).split(sep).join("/");
  if (place === "stacks/index") return "cdktf-secrets-registry/stacks";
  if (!place.startsWith("lib/")) throw new Error(`${importer} imports ${place}, which no package brings`);
  return `cdktf-secrets-registry/internal/${place.slice("lib/".length)}`;
}

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", home], { stdio: "inherit" });
for (const name of readdirSync(source, { recursive: true }).map(String)) {
  if (!/\.(js|d\.ts)$/.test(name)) continue;
  const file = join(source, name);
  const code = readFileSync(file, "utf8").replace(
    /(\b(?:require|import)\(|\bfrom |\bimport )"(\.[^"]*)"/g,
    (_, before: string, specifier: string) =>
      `${before}"${specifierOf(specifier.replace(/\.js$/, ""), file)}"`,
  );
  mkdirSync(dirname(join(dist, name)), { recursive: true });
  writeFileSync(join(dist, name), code);
}
const requirements = readdirSync(join(home, "src/servers")).filter((name) => name.endsWith(".txt"));
for (const name of requirements) cpSync(join(home, "src/servers", name), join(dist, "servers", name));
// The checkout's own program, which the main package's replaces.
for (const ending of [".js", ".d.ts"]) rmSync(join(dist, `secrets-registry${ending}`));
rmSync(emitted, { recursive: true });
