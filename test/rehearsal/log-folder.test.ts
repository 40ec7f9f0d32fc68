import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { newLogFolder } from "../../packages/rehearsal/src/command/log-folder";

const HOUR = 3_600_000;

let logs: string;

beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), "logs-"));
});

afterEach(() => rmSync(logs, { recursive: true, force: true }));

/** Logs of a rehearsal that began so many hours ago. */
function left(name: string, hours: number): string {
  const folder = join(logs, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "aws.log"), "started\n");
  const then = new Date(Date.now() - hours * HOUR);
  utimesSync(folder, then, then);
  return name;
}

/** Process of a rehearsal that was killed. */
async function killed(): Promise<number> {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
  return child.pid ?? 0;
}

test("a new rehearsal removes logs that are over and a day old, and none that somebody may look at", async () => {
  const dead = await killed();
  const old = [left(`rehearsal-${dead}-AAAAAA`, 25), left("rehearsal-BBBBBB", 25)];
  const kept = [
    left(`rehearsal-${dead}-CCCCCC`, 23),
    left(`rehearsal-${process.pid}-DDDDDD`, 25),
    left("notes", 25),
  ];
  const made = newLogFolder(logs);
  expect(basename(made)).toMatch(new RegExp(`^rehearsal-${process.pid}-`));
  expect(readdirSync(logs).sort()).toEqual([...kept, basename(made)].sort());
  for (const name of old) expect(existsSync(join(logs, name))).toBe(false);
});

test("the first rehearsal makes the folder", () => {
  const made = newLogFolder(join(logs, "cache", "logs"));
  expect(readdirSync(join(logs, "cache", "logs"))).toEqual([basename(made)]);
});
