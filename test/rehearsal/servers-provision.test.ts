import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultCacheFolder, provision } from "../../packages/rehearsal/src/servers";
import { buildOnce } from "../../packages/rehearsal/src/servers/build-once";
import { findPython } from "../../packages/rehearsal/src/servers/python";

let home: string;
const environment = { ...process.env };

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "provision test "));
});

afterEach(() => {
  process.env = { ...environment };
  rmSync(home, { recursive: true, force: true });
});

/** A process id that nobody has. */
const deadProcess = (): number => spawnSync("true").pid;

describe("a folder that is built once", () => {
  const fill = async (scratch: string) => {
    mkdirSync(scratch);
    await sleep(50);
    writeFileSync(join(scratch, "content"), "");
  };

  test("is built once by many that come at the same time", async () => {
    const folder = join(home, "x");
    let builds = 0;
    const messages: string[] = [];
    const build = async (scratch: string) => {
      builds += 1;
      await fill(scratch);
    };
    const onProgress = (message: string) => messages.push(message);
    await Promise.all([1, 2, 3].map(() => buildOnce({ folder, build, onProgress })));
    expect(builds).toBe(1);
    expect(messages[0]).toContain("Waiting for another process");
    expect(readdirSync(folder)).toEqual(["content"]);
    expect(readdirSync(home)).toEqual(["x"]);
  });

  test("is not there after a failure, and can be built later", async () => {
    const folder = join(home, "x");
    const build = async (scratch: string) => {
      mkdirSync(scratch);
      throw new Error("no network");
    };
    await expect(buildOnce({ folder, build })).rejects.toThrow("no network");
    expect(readdirSync(home)).toEqual([]);
    await buildOnce({ folder, build: fill });
    expect(existsSync(join(folder, "content"))).toBe(true);
  });

  test("does not wait for a process that died", async () => {
    const folder = join(home, "x");
    const holder = `${hostname()}.${deadProcess()}`;
    writeFileSync(`${folder}.lock`, holder);
    mkdirSync(`${folder}.building.${holder}.0123abcd`);
    await buildOnce({ folder, build: fill });
    expect(readdirSync(home)).toEqual(["x"]);
  });

  test("does not wait for a lock without a heartbeat", async () => {
    const folder = join(home, "x");
    writeFileSync(`${folder}.lock`, `another-host.${process.pid}`);
    const longAgo = new Date(Date.now() - 120_000);
    utimesSync(`${folder}.lock`, longAgo, longAgo);
    await buildOnce({ folder, build: fill });
    expect(readdirSync(home)).toEqual(["x"]);
  });

  test("may have been built by somebody faster", async () => {
    const folder = join(home, "x");
    const build = async (scratch: string) => {
      await fill(scratch);
      await fill(folder);
    };
    await buildOnce({ folder, build });
    expect(readdirSync(home)).toEqual(["x"]);
  });
});

describe("Python", () => {
  /** A program that answers like an interpreter. */
  function fakePython(name: string, answer: string): string {
    const file = join(home, name);
    writeFileSync(file, `#!/bin/sh\necho '${answer}'\n`);
    chmodSync(file, 0o755);
    return file;
  }
  const answer = (version: number[], canMakeEnvironments = true) =>
    JSON.stringify({ executable: "/x/python", version, platform: "linux-x86_64", canMakeEnvironments });

  test("that is missing is asked for", async () => {
    const error = await findPython({ PATH: home }).catch((fault: unknown) => fault);
    expect(error).toMatchObject({ name: "ServerFault" });
    expect(String(error)).toMatch(/need Python 3\.10 or newer.*python3: .*ENOENT.*apt install python3-venv/s);
  });

  test("that does not do is named with the reason", async () => {
    fakePython("python3", answer([3, 9, 18]));
    fakePython("python3.12", answer([3, 12, 1], false));
    fakePython("python", "hello");
    const error = String(await findPython({ PATH: home }).catch((fault: unknown) => fault));
    expect(error).toContain("python3: version 3.9.18, too old");
    expect(error).toContain("python3.12: version 3.12.1 without venv or ensurepip");
    expect(error).toContain("python: it runs, but its answer is not Python's");
  });

  test("can be named, and then no other is looked for", async () => {
    const file = fakePython("my python", answer([3, 13, 0]));
    expect(await findPython({ PATH: "/bin", SECRETS_REGISTRY_PYTHON: file })).toMatchObject({
      version: "3.13.0",
    });
    const missing = join(home, "nothing");
    await expect(findPython({ ...environment, SECRETS_REGISTRY_PYTHON: missing })).rejects.toThrow(missing);
  });
});

describe("installed servers", () => {
  /** An index that cannot be reached. */
  function goOffline() {
    process.env.PIP_INDEX_URL = "http://user:secret@127.0.0.1:9/simple";
    process.env.PIP_FIND_LINKS = "";
    process.env.PIP_RETRIES = "0";
    process.env.PIP_EXTRA_INDEX_URL = "";
  }

  test("are used again without a network", async () => {
    const installed = await provision();
    goOffline();
    const messages: string[] = [];
    expect(await provision({ onProgress: (message) => messages.push(message) })).toEqual(installed);
    expect(messages).toEqual([]);
    expect(installed.python.startsWith(defaultCacheFolder())).toBe(true);
  }, 300_000);

  test("cannot be had without a network the first time, which leaves nothing behind", async () => {
    goOffline();
    const cacheFolder = join(home, "cache");
    const messages: string[] = [];
    const onProgress = (message: string) => messages.push(message);
    const error = String(await provision({ cacheFolder, onProgress }).catch((fault: unknown) => fault));
    expect(error).toMatch(/could not be installed: .*pip.*The first start needs the Python package index/s);
    expect(error).not.toContain("secret@");
    expect(messages).toEqual([expect.stringContaining("first use")]);
    expect(readdirSync(cacheFolder)).toEqual([]);
  }, 60_000);

  test("go where SECRETS_REGISTRY_CACHE says", () => {
    expect(defaultCacheFolder({ SECRETS_REGISTRY_CACHE: "/cache" })).toBe("/cache");
    expect(basename(defaultCacheFolder({}))).toBe("rehearsal");
  });
});
