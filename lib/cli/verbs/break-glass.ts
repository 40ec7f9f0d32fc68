import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import {
  LIFE_DAYS,
  open,
  readSealedCredential,
  type SealedCredential,
  type Sealing,
  type SealRequest,
  seal,
  sealedText,
} from "../../break-glass";
import { daysBetween } from "../../model/days-between";
import { formatFault } from "../../model/faults";
import { slug } from "../../model/grammar";
import { UserFault } from "../terminal/user-fault";

/** File of a sealing in the repository. */
export const sealingFile = (folder: string, name: string): string => join(folder, `${name}.json`);

/** Result of a sealing: where its parts lie. */
export interface SealReport {
  readonly sealed: SealedCredential;
  /** In the repository. */
  readonly file: string;
  /** Sheets for the holders, which are printed and then deleted. */
  readonly sheets: readonly string[];
}

/**
 * Seals a credential into a folder of the repository, and writes a sheet for each holder somewhere else. A sealing of the same name is
 * replaced.
 *
 * @param sheets folder for the sheets; it is in no git repository
 * @throws UserFault for what cannot be sealed so; nothing is written then
 */
export async function sealInto(folder: string, sheets: string, request: SealRequest): Promise<SealReport> {
  const { holders, threshold, credential, name } = request;
  const faults = [
    ...(slug.safeParse(name).success
      ? []
      : [`${JSON.stringify(name)} is no name: lower-case letters, digits and single hyphens, at most 40`]),
    ...holders
      .filter((holder) => !slug.safeParse(holder).success)
      .map((holder) => `the holder ${JSON.stringify(holder)} has no name of that form`),
    ...(new Set(holders).size === holders.length ? [] : ["a holder is named twice: each has one share"]),
    ...(holders.length >= 2 && holders.length <= 255 ? [] : ["there are 2 to 255 holders"]),
    ...(Number.isInteger(threshold) && threshold >= 2 && threshold <= holders.length
      ? []
      : [`the threshold is ${threshold}, and 2 to ${holders.length} of these holders can open it`]),
    ...(credential.length > 0 && credential.length <= 65_536
      ? []
      : [`standard input has ${credential.length} characters: give the credential, at most 65536`]),
    ...(repositoryOf(sheets) === undefined
      ? []
      : [
          `${sheets} is in a git repository: name a folder outside of it, in memory at best (/dev/shm/shares)`,
        ]),
  ];
  const lying = holders
    .map((holder, index) => sheetFile(sheets, name, index + 1, holder))
    .filter((file) => existsSync(file));
  const all = [...faults, ...lying.map((file) => `${file} lies there already: print it, or delete it`)];
  if (all.length > 0) throw new UserFault(`Nothing is sealed: ${all.join("; ")}.`);
  const sealing = await seal(request);
  mkdirSync(sheets, { recursive: true, mode: 0o700 });
  const files = await writeSheets(sheets, sealing);
  mkdirSync(folder, { recursive: true });
  const file = sealingFile(folder, name);
  writeFileSync(file, sealedText(sealing.sealed));
  return { sealed: sealing.sealed, file, sheets: files };
}

const sheetFile = (folder: string, name: string, number: number, holder: string): string =>
  join(folder, `${name}-${number}-${holder}.txt`);

async function writeSheets(folder: string, { sealed, shares }: Sealing): Promise<readonly string[]> {
  // Published as an ES module only.
  const { renderUnicodeCompact } = await import("uqr");
  return shares.map(({ holder, text }, index) => {
    const file = sheetFile(folder, sealed.name, index + 1, holder);
    const sheet = [
      `Share ${index + 1} of ${shares.length} of ${sealed.name}, for ${holder}. Sealed ${sealed.sealed} as ${sealed.sealing}.`,
      `${sealed.threshold} of these open it. Keep it on paper, in a safe of your own. Tell nobody, photograph it never.`,
      "",
      renderUnicodeCompact(text),
      "",
      text,
      "",
      `secrets-registry break-glass open ${sealed.name} --show`,
      "",
    ].join("\n");
    writeFileSync(file, sheet, { mode: 0o600, flag: "wx" });
    return file;
  });
}

/** Folder of the git repository in which a folder lies, or would lie. */
function repositoryOf(folder: string): string | undefined {
  let place = resolve(folder);
  while (!existsSync(place)) place = dirname(place);
  for (place = realpathSync(place); ; place = dirname(place)) {
    if (existsSync(join(place, ".git"))) return place;
    if (dirname(place) === place) return undefined;
  }
}

/**
 * Reads a sealing.
 *
 * @throws UserFault where there is none, or the file is none
 */
export function readSealing(folder: string, name: string): SealedCredential {
  const file = sealingFile(folder, name);
  if (!existsSync(file)) {
    const others = sealingsIn(folder).map((one) => one.replace(/\.json$/, ""));
    throw new UserFault(
      `There is no ${file}. ${others.length > 0 ? `Sealed there: ${others.join(", ")}.` : "Nothing is sealed there; see break-glass seal --help."}`,
    );
  }
  const read = readSealedCredential(readFileSync(file, "utf8"));
  if ("sealed" in read) return read.sealed;
  throw new UserFault(
    `${file} is no sealing:\n${read.faults.map((one) => `- ${formatFault(one)}`).join("\n")}`,
  );
}

const sealingsIn = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith(".json"))
        .sort()
    : [];

/**
 * Opens a sealing by its holders' shares.
 *
 * @throws UserFault with everything that is wrong with them
 */
export async function openSealing(
  sealed: SealedCredential,
  shares: readonly string[],
): Promise<{ readonly credential: string; readonly holders: readonly string[] }> {
  const opened = await open(sealed, shares);
  if ("faults" in opened) {
    throw new UserFault(
      `${sealed.name} does not open:\n${opened.faults.map((one) => `- ${one}`).join("\n")}\nGive ${sealed.threshold} of its ${sealed.holders.length} shares, one in a line.`,
    );
  }
  return opened;
}

/** Opens a sealing, keeps its credential to itself, and writes into the file who did it when. */
export async function drillSealing(
  folder: string,
  name: string,
  shares: readonly string[],
  day: string,
): Promise<SealedCredential> {
  const sealed = readSealing(folder, name);
  const { holders } = await openSealing(sealed, shares);
  const drilled = { ...sealed, drills: [...sealed.drills, { day, holders: [...holders] }] };
  writeFileSync(sealingFile(folder, name), sealedText(drilled));
  return drilled;
}

/** One sealing as it stands on a day. */
export interface SealingStanding {
  readonly name: string;
  readonly sealed: string;
  /** Last day on which holders opened it; `undefined`: none has yet. */
  readonly drilled: string | undefined;
  /** Work that is to be done; empty where there is none. */
  readonly faults: readonly string[];
}

/** Result of a check of all sealings. */
export interface SealingsReport {
  readonly sealings: readonly SealingStanding[];
  readonly ready: boolean;
}

/** Checks that a folder has sealings, that none is older than its life, and that each was opened for a drill within the policy's quarter. */
export function checkSealings(folder: string, today: string): SealingsReport {
  const sealings = sealingsIn(folder).map((file): SealingStanding => {
    const name = file.replace(/\.json$/, "");
    const { sealed, drills } = readSealing(folder, name);
    const drilled = drills
      .map(({ day }) => day)
      .sort()
      .at(-1);
    const faults = [
      ...(daysBetween(sealed, today) > LIFE_DAYS.sealing
        ? [`sealed more than ${LIFE_DAYS.sealing} days ago: make a new credential and seal it`]
        : []),
      ...(daysBetween(drilled ?? sealed, today) > LIFE_DAYS.drill
        ? [`no drill for ${LIFE_DAYS.drill} days: secrets-registry break-glass drill ${name}`]
        : []),
      ...[sealed, ...drills.map(({ day }) => day)]
        .filter((day) => day > today)
        .map((day) => `${day} is yet to come: no sealing and no drill can be of that day`),
    ];
    return { name, sealed, drilled, faults };
  });
  return { sealings, ready: sealings.length > 0 && sealings.every(({ faults }) => faults.length === 0) };
}
