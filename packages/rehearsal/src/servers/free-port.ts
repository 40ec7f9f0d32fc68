import { createServer } from "node:net";
import { PortTakenFault } from "./server-fault";

/** Attempts before a busy machine is called a fault. */
const ATTEMPTS = 5;

/** A loopback port that is free at this moment. Nothing reserves it: start through {@link startOnFreePort}. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string")
          reject(new Error("no port in the socket's address"));
        else resolve(address.port);
      });
    });
  });
}

/**
 * Starts a server on a free port. Between picking a port and binding it another process may take it, so a start
 * that fails with {@link PortTakenFault} is repeated with another port.
 *
 * @throws what `start` throws, {@link PortTakenFault} after five lost races included
 */
export async function startOnFreePort<T>(
  start: (port: number) => Promise<T>,
  pick: () => Promise<number> = freePort,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await pick());
    } catch (error) {
      if (!(error instanceof PortTakenFault) || attempt === ATTEMPTS) throw error;
    }
  }
}
