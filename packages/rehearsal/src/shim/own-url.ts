/**
 * Path and query of a request for the shim; `undefined` for one that takes it for the proxy of another server.
 *
 * Clients of S3 Control put the account in front of the endpoint's host: no name server knows `111122223333.127.0.0.1`, so
 * they come through the shim as their proxy, and such a request has a whole URL.
 *
 * @param port the shim's
 */
export function ownUrl(url: string, port: number): string | undefined {
  if (url.startsWith("/")) return url;
  const [whole, host, rest] = /^http:\/\/(?:\d{12}\.)?([^/?]+)(.*)$/.exec(url) ?? [];
  if (whole === undefined || host !== `127.0.0.1:${port}`) return undefined;
  return rest?.startsWith("/") ? rest : `/${rest}`;
}
