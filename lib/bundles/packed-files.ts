import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync, ZipPassThrough } from "fflate";

/** A file as a zip holds it. */
export interface PackedFile {
  /** CRC-32 of the content. */
  readonly crc: number;
  /** Bytes of the content. */
  readonly size: number;
  /** The content, deflated. */
  readonly deflated: Uint8Array<ArrayBuffer>;
}

/** Folder of packed files below the bundles' own. */
const PACKED = "packed";
/** SHA-256 of the content (32 bytes), its CRC-32 and its size (4 bytes each, big-endian); then the deflated content. */
const HEADER = { crc: 32, size: 36, content: 40 } as const;

/** Deflates a content as well as the format allows. The same content gives the same bytes. */
export function packed(content: Uint8Array): PackedFile {
  const counter = new ZipPassThrough("");
  counter.ondata = () => undefined;
  counter.push(content, true);
  // The library counts in signed numbers.
  return { crc: counter.crc >>> 0, size: content.length, deflated: deflateSync(content, { level: 9 }) };
}

/**
 * Packs bundles when they are made, so that no synth has to: three tenths of a second for a dozen functions.
 *
 * @param folder where the bundles lie
 * @param names of their files, relative to the folder
 */
export function writePackedFiles(folder: string, names: readonly string[]): void {
  rmSync(join(folder, PACKED), { recursive: true, force: true });
  for (const name of names) {
    const content = readFileSync(join(folder, name));
    const { crc, size, deflated } = packed(content);
    const header = Buffer.alloc(HEADER.content);
    sha256(content).copy(header);
    header.writeUInt32BE(crc, HEADER.crc);
    header.writeUInt32BE(size, HEADER.size);
    const file = packedPath(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, Buffer.concat([header, deflated]));
  }
}

/**
 * A bundle's file as it was packed before, where that was the same content: known by its SHA-256, never by a time or a size,
 * which a checkout, a cache or a copy changes. Packed now otherwise.
 */
export function packedFile(folder: string, name: string, content: Uint8Array): PackedFile {
  const file = packedPath(folder, name);
  const before = existsSync(file) ? readFileSync(file) : undefined;
  if (!before || before.length < HEADER.content || !sha256(content).equals(before.subarray(0, HEADER.crc))) {
    return packed(content);
  }
  return {
    crc: before.readUInt32BE(HEADER.crc),
    size: before.readUInt32BE(HEADER.size),
    deflated: new Uint8Array(before.subarray(HEADER.content)),
  };
}

const packedPath = (folder: string, name: string): string => join(folder, PACKED, `${name}.deflated`);

const sha256 = (content: Uint8Array): Buffer => createHash("sha256").update(content).digest();
