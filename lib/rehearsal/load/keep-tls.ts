import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";

/**
 * Node's own `https.request`. The embedded AWS puts another one in its place in every function, which talks plain HTTP to
 * loopback (ministack 1.5.33, `core/lambda_runtime.py`, `patchAwsSdk`); what a rehearsal's functions call there
 * speaks TLS, as everywhere.
 */
const NODES_OWN = `{
  const https = require("node:https");
  const { ClientRequest } = require("node:http");
  const { urlToHttpOptions } = require("node:url");
  https.request = (...args) => {
    const place = typeof args[0] === "string" || args[0] instanceof URL ? urlToHttpOptions(new URL(args.shift())) : {};
    const options = typeof args[0] === "function" ? {} : args.shift();
    return new ClientRequest({ ...place, ...options, _defaultAgent: https.globalAgent }, args[0]);
  };
  https.get = (...args) => https.request(...args).end();
}
`;

/** A deployment package whose code speaks TLS to loopback, too. */
export function keepTls(zip: Uint8Array): Uint8Array {
  const files = unzipSync(zip);
  const code = strFromU8(files["index.js"] ?? new Uint8Array());
  return zipSync({ ...files, "index.js": strToU8(NODES_OWN + code) });
}
