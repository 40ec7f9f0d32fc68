import { readdir, readFile, readlink } from "node:fs/promises";

/** Columns of `/proc/net/tcp` (Linux, `Documentation/networking/proc_net_tcp.rst`). */
const [LOCAL, REMOTE, INODE] = [1, 2, 9];

const hexPort = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");

/**
 * Kills the Lambda function whose process holds the other end of a loopback connection. Every other process is
 * left alone: it does not carry a function's name in its environment.
 *
 * @param from port of the caller's end
 * @param to port of our end
 * @returns whether a function was killed
 */
export async function killLambdaWorker(from: number, to: number): Promise<boolean> {
  const inode = await inodeOf(from, to);
  if (inode === undefined) return false;
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || !(await isLambdaFunction(pid))) continue;
    if (!(await holdsSocket(pid, inode))) continue;
    process.kill(Number(pid), "SIGKILL");
    return true;
  }
  return false;
}

async function inodeOf(from: number, to: number): Promise<string | undefined> {
  const lines = (await readFile("/proc/net/tcp", "utf8")).split("\n").slice(1);
  const columns = lines.map((line) => line.trim().split(/\s+/));
  const found = columns.find(
    (column) => column[LOCAL]?.endsWith(`:${hexPort(from)}`) && column[REMOTE]?.endsWith(`:${hexPort(to)}`),
  );
  return found?.[INODE];
}

async function isLambdaFunction(pid: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/environ`, "latin1")).includes("AWS_LAMBDA_FUNCTION_NAME=");
  } catch {
    return false; // Gone, or another user's.
  }
}

async function holdsSocket(pid: string, inode: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  const targets = await Promise.all(
    descriptors.map((descriptor) => readlink(`${folder}/${descriptor}`).catch(() => "")),
  );
  return targets.includes(`socket:[${inode}]`);
}
