import type { Server } from "node:http";

/** Has a server listen on a free port of the loopback address. */
export function listenOnLoopback(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const address = server.address();
      if (address === null || typeof address === "string")
        reject(new Error("no port in the server's address"));
      else resolve(address.port);
      // An open server must not keep this process alive.
      server.unref();
    });
  });
}

/** Closes a server, and the connections that clients keep open. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
