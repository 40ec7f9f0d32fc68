/**
 * RESP2, the protocol of Redis: a command is an array of texts, a reply one of five forms. Rotation sends eight
 * commands one after the other, for which the client libraries are 90 KB of a function's bundle and 50 ms of
 * its start.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

/** An error reply. */
export class RespFailure {
  /** @param word first word of the reply, `WRONGPASS`; the rest may quote what was sent and is dropped */
  constructor(readonly word: string) {}
}

/** A reply. */
export type RespReply = string | number | null | RespFailure | readonly RespReply[];

/** A reply that is complete, and where the next one begins. */
export interface Decoded {
  readonly reply: RespReply;
  readonly end: number;
}

/** A command as Redis reads it. */
export const encodeCommand = (words: readonly string[]): string =>
  [`*${words.length}`, ...words.flatMap((word) => [`$${Buffer.byteLength(word)}`, word]), ""].join("\r\n");

/**
 * The reply that begins at `start`; `undefined` while a part of it has not arrived.
 *
 * @throws RangeError for bytes that are no RESP2
 */
export function decodeReply(bytes: Buffer, start = 0): Decoded | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString("utf8", start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (bytes.toString("latin1", start, start + 1)) {
    case "+":
      return { reply: line, end };
    case "-":
      return { reply: new RespFailure(line.split(" ", 1)[0] ?? ""), end };
    case ":":
      return { reply: Number(line), end };
    case "$":
      return decodeText(bytes, Number(line), end);
    case "*":
      return decodeList(bytes, Number(line), end);
    default:
      throw new RangeError("not a RESP2 reply");
  }
}

function decodeText(bytes: Buffer, length: number, start: number): Decoded | undefined {
  if (length < 0) return { reply: null, end: start };
  const end = start + length + 2;
  return bytes.length < end ? undefined : { reply: bytes.toString("utf8", start, end - 2), end };
}

function decodeList(bytes: Buffer, length: number, start: number): Decoded | undefined {
  if (length < 0) return { reply: null, end: start };
  const reply: RespReply[] = [];
  let end = start;
  while (reply.length < length) {
    const item = decodeReply(bytes, end);
    if (item === undefined) return undefined;
    reply.push(item.reply);
    end = item.end;
  }
  return { reply, end };
}
