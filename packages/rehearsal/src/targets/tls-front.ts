import { type AddressInfo, connect } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { loopbackCertificate } from "../servers/loopback-certificate";

/** A TLS listener in front of a server that speaks none. */
export interface TlsFront {
  readonly port: number;
  /** Authority of its certificate, which is for `localhost` and `127.0.0.1`. */
  readonly caPem: string;
  stop(): Promise<void>;
}

/** Speaks TLS for a server on a loopback port: the embedded Redis is built without it. */
export async function startTlsFront(name: string, port: number): Promise<TlsFront> {
  const { certificatePem, privateKeyPem, caPem } = loopbackCertificate(name);
  const open = new Set<TLSSocket>();
  const server = createServer({ cert: certificatePem, key: privateKeyPem }, (outer) => {
    open.add(outer);
    const inner = connect(port, "127.0.0.1");
    const cut = (): void => {
      open.delete(outer);
      outer.destroy();
      inner.destroy();
    };
    for (const side of [outer, inner]) side.setNoDelay(true).on("error", cut).on("close", cut);
    outer.pipe(inner).pipe(outer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    caPem,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
