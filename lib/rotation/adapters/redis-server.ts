import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { originOf } from "../../lambda/failure-origin";
import { RotationError, type RotationFaultCode } from "../protocol/rotation-error";
import type { RedisLogin, RedisNode, RedisServer, RedisSession } from "../targets/redis";
import { connectionFault } from "./connection-fault";
import { decodeReply, encodeCommand, RespFailure, type RespReply } from "./resp";

const ANSWER_TIMEOUT_MS = 10_000;

/** First words of error replies that mean something to rotation. */
const BY_WORD: Readonly<Record<string, RotationFaultCode>> = {
  WRONGPASS: "target-refused",
  NOAUTH: "target-refused",
  NOPERM: "right-missing",
  LOADING: "target-busy",
  BUSY: "target-busy",
};

/** AUTH at a server without passwords is answered with a plain ERR: the password opened nothing. */
const AT_LOGIN: Readonly<Record<string, RotationFaultCode>> = { ...BY_WORD, ERR: "target-refused" };

/** {@link RedisServer} over TLS, host name verified, no fallback, no reconnecting. */
export const redisServer: RedisServer = {
  async nodes(host, port) {
    if (isIP(host) !== 0) return [{ address: host, port, host }];
    try {
      const addresses = await lookup(host, { all: true });
      return addresses.map(({ address }) => ({ address, port, host }));
    } catch (failure) {
      throw new RotationError("target-unreachable", `the name ${host}`, originOf(failure));
    }
  },

  async open(node, login, caPem) {
    const where = `${login.username ?? "the default user"} at ${node.address}:${node.port}`;
    const session = new RespSession(await secured(node, caPem, where), where);
    try {
      await authenticate(session, login);
      return session;
    } catch (failure) {
      await session.close();
      throw failure;
    }
  },
};

function secured(node: RedisNode, caPem: string | undefined, where: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: node.address,
      port: node.port,
      rejectUnauthorized: true,
      // A name in the handshake, an address in the check: RFC 6066 allows no address in the former.
      ...(isIP(node.host) === 0 ? { servername: node.host } : {}),
      ...(caPem === undefined ? {} : { ca: caPem }),
    });
    const fail = (failure: unknown): void => {
      socket.destroy();
      reject(connectionFault(failure, where) ?? new RotationError("unexpected", where, originOf(failure)));
    };
    socket.setNoDelay(true);
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => fail(new Error("timeout expired")));
    socket.once("error", fail);
    socket.once("secureConnect", () => {
      socket.off("error", fail);
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

async function authenticate(session: RespSession, { username, password }: RedisLogin): Promise<void> {
  if (password === undefined) return;
  await session.ask(["AUTH", ...(username === undefined ? [] : [username]), password], AT_LOGIN);
}

interface Question {
  readonly resolve: (reply: RespReply) => void;
  readonly reject: (failure: RotationError) => void;
}

/** Name of a command, with what it is of a container such as ACL; never an argument, which may be a password. */
const commandOf = ([name = "", of = ""]: readonly string[]): string =>
  /^(ACL|CLIENT|CONFIG)$/.test(name) ? `${name} ${of}` : name;

class RespSession implements RedisSession {
  readonly #socket: TLSSocket;
  readonly #where: string;
  readonly #questions: Question[] = [];
  #received: Buffer = Buffer.alloc(0);
  #ended: RotationError | undefined;

  constructor(socket: TLSSocket, where: string) {
    this.#socket = socket;
    this.#where = where;
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.on("error", (failure) =>
      this.#end(connectionFault(failure, where) ?? new RotationError("unexpected", where, originOf(failure))),
    );
    socket.on("close", () => this.#end(new RotationError("target-unreachable", where, "closed")));
    socket.on("timeout", () => this.#end(new RotationError("target-unreachable", where, "timeout")));
  }

  command(name: string, ...args: readonly string[]): Promise<unknown> {
    return this.ask([name, ...args], BY_WORD);
  }

  /** Sends a command; error replies become faults by their first word. */
  async ask(
    words: readonly string[],
    meanings: Readonly<Record<string, RotationFaultCode>>,
  ): Promise<RespReply> {
    const reply = await new Promise<RespReply>((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#questions.push({ resolve, reject });
      this.#socket.setTimeout(ANSWER_TIMEOUT_MS);
      this.#socket.write(encodeCommand(words));
    });
    if (!(reply instanceof RespFailure)) return reply;
    throw new RotationError(
      meanings[reply.word] ?? "unexpected",
      `${commandOf(words)} as ${this.#where}`,
      reply.word,
    );
  }

  async close(): Promise<void> {
    this.#end(new RotationError("target-unreachable", this.#where, "closed"));
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    try {
      for (let next = decodeReply(this.#received); next !== undefined; next = decodeReply(this.#received)) {
        this.#received = this.#received.subarray(next.end);
        this.#questions.shift()?.resolve(next.reply);
      }
    } catch {
      this.#end(new RotationError("target-misconfigured", `${this.#where} does not speak Redis's protocol`));
    }
    if (this.#questions.length === 0) this.#socket.setTimeout(0);
  }

  #end(fault: RotationError): void {
    this.#ended ??= fault;
    this.#socket.destroy();
    for (const { reject } of this.#questions.splice(0)) reject(this.#ended);
  }
}
