import { randomBytes } from "node:crypto";
import fc from "fast-check";
import {
  open,
  readSealedCredential,
  type SealedCredential,
  type Sealing,
  seal,
  sealedText,
} from "../../lib/break-glass";
import { shareText } from "../../lib/break-glass/share";
import { propertyRuns } from "../property-runs";

const DAY = "2026-12-01";
const HOLDERS = ["ana", "ben", "cleo", "dan", "eva"];
const credential = `canary-${randomBytes(18).toString("base64url")}`;
const sealed = (n: number, threshold: number): Promise<Sealing> =>
  seal({ name: "aws-prod-root", credential, holders: HOLDERS.slice(0, n), threshold, day: DAY });
const texts = ({ shares }: Sealing): string[] => shares.map(({ text }) => text);

const CHANGED = { faults: [expect.stringMatching(/^the file was changed after it was sealed/)] };

describe("a sealed credential", () => {
  let three: Sealing;
  beforeAll(async () => {
    three = await sealed(5, 3);
  });

  test("opens by as many shares as its threshold says, in any order, and says whose they were", async () => {
    const [, second = "", , fourth = "", fifth = ""] = texts(three);
    expect(await open(three.sealed, [fifth, second, fourth])).toEqual({
      credential,
      holders: ["ben", "dan", "eva"],
    });
  });

  test("opens by shares as people type them: lower case, spaces, O and l for digits, empty lines", async () => {
    const typed = texts(three).map((text) =>
      text
        .toLowerCase()
        .replaceAll("-", " ")
        .replace(/0(?=[^ ]*$)/g, "o"),
    );
    expect(await open(three.sealed, ["", ...typed, " "])).toMatchObject({ credential });
  });

  test.each<[string, (shares: string[]) => string[], RegExp]>([
    ["too few", (shares) => shares.slice(0, 2), /^2 of 5 shares, and 3 open it$/],
    ["one of them three times", ([first = ""]) => [first, first, first], /^1 of 5 shares, and 3 open it$/],
    ["none", () => [], /^0 of 5 shares/],
    [
      "text that is no share",
      ([first = "", second = ""]) => [first, second, credential],
      /^no share: one begins with BG1-/,
    ],
    [
      "a share that is cut off",
      ([first = "", ...rest]) => [first.slice(0, -6), ...rest],
      /^share 1 is mistyped, or incomplete/,
    ],
  ])("%s: refused", async (_, change, text) => {
    const answer = await open(three.sealed, change(texts(three)));
    expect(answer).toEqual({ faults: [expect.stringMatching(text)] });
    expect(JSON.stringify(answer)).not.toContain(credential);
  });

  test("shares of another sealing, of the same name too, are named", async () => {
    const other = await sealed(5, 3);
    const [first = "", second = ""] = texts(three);
    expect(await open(three.sealed, [first, second, texts(other)[2] ?? ""])).toEqual({
      faults: [
        `share 3 is of sealing ${other.sealed.sealing}, and aws-prod-root was sealed as ${three.sealed.sealing} on ${DAY}`,
      ],
    });
  });

  test("a forged share with a right checksum is named, and is not mixed in", async () => {
    const forged = await shareText({ sealing: three.sealed.sealing, number: 2, bytes: randomBytes(33) });
    const [first = "", , third = ""] = texts(three);
    expect(await open(three.sealed, [first, forged, third])).toEqual({
      faults: ["share 2 is not the one of ben"],
    });
  });

  test("holds neither the credential nor a share, and comes back from its file", () => {
    const text = sealedText(three.sealed);
    for (const secret of [credential, ...texts(three)]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString("base64").slice(2, -4));
    }
    expect(readSealedCredential(text)).toEqual({ sealed: three.sealed });
  });

  test.each<[string, (sealed: SealedCredential) => object]>([
    ["another threshold", (one) => ({ threshold: 2, holders: one.holders })],
    [
      "another holder's name",
      (one) => ({
        holders: one.holders.map((each) => (each.number === 1 ? { ...each, name: "mallory" } : each)),
      }),
    ],
    ["a later day", () => ({ sealed: "2027-11-30" })],
    ["another name", () => ({ name: "aws-dev-root" })],
  ])("%s in the file: what was sealed says otherwise", async (_, change) => {
    expect(await open({ ...three.sealed, ...change(three.sealed) }, texts(three))).toEqual(CHANGED);
  });

  test("another sealing's recipient and ciphertext in the file: its shares do not open them", async () => {
    const { recipient, ciphertext } = (await sealed(5, 3)).sealed;
    expect(await open({ ...three.sealed, recipient, ciphertext }, texts(three))).toEqual(CHANGED);
    expect(await open({ ...three.sealed, ciphertext }, texts(three))).toEqual(CHANGED);
  });

  test("drills are written beside it, and change nothing", async () => {
    const drilled = { ...three.sealed, drills: [{ day: DAY, holders: ["ana", "ben", "cleo"] }] };
    expect(await open(drilled, texts(three))).toMatchObject({ credential });
  });

  test("property: any k of n open it, k − 1 do not, and a changed byte anywhere is refused", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 5 }).chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 2, max: n }))),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
        fc.nat(),
        async ([n, k], order, at) => {
          const one = await sealed(n, k);
          const shuffled = order.flatMap((index) => texts(one)[index] ?? []);
          expect(await open(one.sealed, shuffled.slice(0, k))).toMatchObject({ credential });
          expect(await open(one.sealed, shuffled.slice(0, k - 1))).toHaveProperty("faults");

          const { ciphertext } = one.sealed;
          const body = ciphertext.split("\n").slice(1, -2).join("").trim();
          const bytes = Buffer.from(body, "base64");
          bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
          const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
          const changed = [
            "-----BEGIN AGE ENCRYPTED FILE-----",
            ...lines,
            "-----END AGE ENCRYPTED FILE-----",
            "",
          ].join("\n");
          expect(await open({ ...one.sealed, ciphertext: changed }, shuffled)).toHaveProperty("faults");

          const [first = "", ...rest] = shuffled.slice(0, k);
          const place = first.lastIndexOf("-") - 1 - (at % 50);
          const letter = first[place] === "-" ? undefined : first[place] === "7" ? "8" : "7";
          if (letter !== undefined) {
            const mistyped = first.slice(0, place) + letter + first.slice(place + 1);
            expect(await open(one.sealed, [mistyped, ...rest])).toHaveProperty("faults");
          }
        },
      ),
      propertyRuns("sealings", { ci: 15, nightly: 500 }),
    );
  });
});
