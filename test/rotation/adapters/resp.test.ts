import fc from "fast-check";
import { decodeReply, encodeCommand, RespFailure, type RespReply } from "../../../lib/rotation/adapters/resp";

const line = fc.string({ unit: fc.constantFrom(..."abcXYZ 09-_é") });
const { reply } = fc.letrec<{ reply: RespReply }>((tie) => ({
  reply: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "binary" }),
    fc.integer(),
    fc.constant(null),
    fc.constantFrom("ERR", "WRONGPASS").map((word) => new RespFailure(word)),
    fc.array(tie("reply"), { maxLength: 4 }),
  ),
}));

/** Reply as a server writes it. */
function encodeReply(value: RespReply): string {
  if (value === null) return "$-1\r\n";
  if (typeof value === "number") return `:${value}\r\n`;
  if (typeof value === "string") return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  if (value instanceof RespFailure) return `-${value.word} and what it quotes\r\n`;
  return `*${value.length}\r\n${value.map(encodeReply).join("")}`;
}

test("a command is an array of texts with their lengths in bytes", () => {
  expect(encodeCommand(["SET", "é", ""])).toBe("*3\r\n$3\r\nSET\r\n$2\r\né\r\n$0\r\n\r\n");
});

test("property: replies are read back, and none before its last byte has come", () => {
  fc.assert(
    fc.property(reply, line, (value, rest) => {
      const bytes = Buffer.from(encodeReply(value));
      expect(decodeReply(Buffer.concat([bytes, Buffer.from(rest)]))).toEqual({
        reply: value,
        end: bytes.length,
      });
      for (let cut = 0; cut < bytes.length; cut += 1) {
        expect(decodeReply(bytes.subarray(0, cut))).toBeUndefined();
      }
    }),
  );
});

test("simple texts and nil arrays", () => {
  expect(decodeReply(Buffer.from("+OK\r\n"))).toEqual({ reply: "OK", end: 5 });
  expect(decodeReply(Buffer.from("*-1\r\n"))).toEqual({ reply: null, end: 5 });
});

test("something else is no reply", () => {
  expect(() => decodeReply(Buffer.from("HTTP/1.1 400 Bad Request\r\n"))).toThrow(RangeError);
});
