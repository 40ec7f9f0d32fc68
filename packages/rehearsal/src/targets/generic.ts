import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:https";
import type { HttpCheck, SqlCheck } from "../../../../lib/model/generic-settings";
import { isSupplied } from "../../../../lib/rotation";
import type { ServerGroup } from "../servers";
import { loopbackCertificate } from "../servers/loopback-certificate";
import { closeServer, listenOnLoopback } from "../servers/loopback-server";
import type { DatabaseLogin, PostgresqlServers } from "./postgresql";
import type { RehearsedTarget, SecretOf, SuppliedValues } from "./target-servers";

type Value = Readonly<Record<string, string>>;

/** Target of a `generic` secret, where its check names a system that can be stood up; `undefined`: it has no check. */
export async function rehearsedGeneric(
  secret: SecretOf<"generic">,
  supplied: SuppliedValues,
  postgresql: PostgresqlServers,
  group: ServerGroup,
): Promise<RehearsedTarget | undefined> {
  const { check } = secret.settings;
  if (check === undefined) return undefined;
  const place =
    check.how === "http" ? await httpPlace(secret, check, group) : await sqlPlace(secret, check, postgresql);
  const settings = { ...secret.settings, check: { ...check, ...place.address } } as typeof secret.settings;
  const given = supplied.get(secret.key);
  if (given !== undefined) {
    // An administrator's: the system that it administers has given it, and a server of the rehearsal's own takes it, too.
    if (check.how === "http") await place.takes(given as Value);
    return { settings };
  }
  let latest: Value | undefined;
  const setAtTarget = async (value: unknown): Promise<void> => {
    if (secret.acceptedBy === "single-slot" && latest !== undefined) await place.ends(latest);
    latest = value as Value;
    await place.takes(latest);
  };
  const reissued = async (): Promise<Value> => {
    const value = place.fresh(latest);
    await setAtTarget(value);
    return value;
  };
  if (isSupplied(secret)) supplied.set(secret.key, await reissued());
  return {
    settings,
    attempt: async (value) => ((await place.accepts(value as Value)) ? "accepted" : "refused"),
    ...(isSupplied(secret) ? { reissued } : {}),
    takes: setAtTarget,
    expire: (value) => place.ends(value as Value),
  };
}

/** A system of the rehearsal at which a person sets credentials. */
interface CheckedPlace {
  /** The check's settings there. */
  readonly address: Partial<HttpCheck> | Partial<SqlCheck>;
  /** Another value, as the system's own form has it. @param before the one in use */
  fresh(before: Value | undefined): Value;
  accepts(value: Value): Promise<boolean>;
  takes(value: Value): Promise<void>;
  ends(value: Value): Promise<void>;
}

const randomSecret = (): string => randomBytes(24).toString("base64url");

/** An HTTPS server with the check's resource, which only requests with a credential that somebody has set here get. */
async function httpPlace(
  { key, settings: { fields, config } }: SecretOf<"generic">,
  check: HttpCheck,
  group: ServerGroup,
): Promise<CheckedPlace> {
  const { expect } = check;
  const { pathname } = new URL(check.url);
  const { caPem, certificatePem, privateKeyPem } = loopbackCertificate(`Target of ${key}`);
  const taken: Value[] = [];
  const isTaken = (headers: IncomingHttpHeaders): boolean =>
    taken.some((value) =>
      Object.entries(headersOf(check.auth, { ...textsOf(config), ...value })).every(
        ([name, text]) => headers[name.toLowerCase()] === text,
      ),
    );
  const server = createServer(
    { cert: certificatePem, key: privateKeyPem },
    ({ method, url, headers }, answer) => {
      if (url !== pathname) answer.writeHead(404).end();
      else if (method !== check.method) answer.writeHead(405).end();
      else if (isTaken(headers)) answer.writeHead(expect.status).end(expect.bodyIncludes);
      else answer.writeHead(expect.refusedStatus).end();
    },
  );
  const place = group.placeFor("target-http");
  const port = await listenOnLoopback(server);
  group.adopt(place, () => closeServer(server));
  const indexOf = (value: Value): number =>
    taken.findIndex((one) => fields.every((field) => one[field] === value[field]));
  return {
    address: { url: `https://127.0.0.1:${port}${pathname}`, caPem },
    fresh: () => Object.fromEntries(fields.map((field) => [field, randomSecret()])),
    accepts: async (value) => indexOf(value) !== -1,
    takes: async (value) => {
      if (indexOf(value) === -1) taken.push(value);
    },
    ends: async (value) => {
      const at = indexOf(value);
      if (at !== -1) taken.splice(at, 1);
    },
  };
}

const textsOf = (config: Readonly<Record<string, unknown>> | undefined): Value =>
  Object.fromEntries(
    Object.entries(config ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );

/** Headers by which a client presents a value (RFC 6750, RFC 7617, or those of the system's own). */
function headersOf(auth: HttpCheck["auth"], value: Value): Value {
  switch (auth.scheme) {
    case "bearer":
      return { authorization: `Bearer ${value[auth.tokenField]}` };
    case "basic": {
      const pair = `${value[auth.usernameFrom]}:${value[auth.passwordField]}`;
      return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
    }
    case "header":
      return Object.fromEntries(
        Object.entries(auth.headers).map(([name, field]) => [name, value[field] ?? ""]),
      );
  }
}

/** The PostgreSQL that stands for the check's host, with logins that an administrator makes there by hand. */
async function sqlPlace(
  { settings: { fields, config }, acceptedBy }: SecretOf<"generic">,
  { host, database, usernameFrom, passwordField }: SqlCheck,
  postgresql: PostgresqlServers,
): Promise<CheckedPlace> {
  const logins = await postgresql.loginsAt(host, database);
  const loginOf = (value: Value): DatabaseLogin => {
    const texts = { ...textsOf(config), ...value };
    return { username: texts[usernameFrom] ?? "", password: texts[passwordField] ?? "" };
  };
  return {
    address: logins.place,
    fresh: (before) => {
      const value = Object.fromEntries(fields.map((field) => [field, randomSecret()]));
      if (!fields.includes(usernameFrom)) return value;
      // A slot is a login: a twin has another one.
      const same = acceptedBy === "single-slot" ? before?.[usernameFrom] : undefined;
      return { ...value, [usernameFrom]: same ?? `by_hand_${randomBytes(6).toString("hex")}` };
    },
    accepts: (value) => logins.accepts(loginOf(value)),
    takes: (value) => logins.set(loginOf(value)),
    ends: (value) => logins.close(loginOf(value)),
  };
}
