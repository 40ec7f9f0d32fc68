import { createPublicKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import * as z from "zod/mini";
import { form, matches } from "./text-grammar";

/** Forms of addresses, certificates and networks. */

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

function parseUrl(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}

/** Characters that a URL has only when they are escaped; some mean something to Terraform or to a shell. */
const hasStrayCharacters = (value: string): boolean => /[^!-~]|["$<>\\^`{|}]/.test(value);

function isBare(url: URL): boolean {
  return url.search === "" && url.hash === "" && url.username === "" && url.password === "";
}

const isIssuer = (value: string): boolean => {
  const url = parseUrl(value);
  return url?.protocol === "https:" && isBare(url) && !hasStrayCharacters(value) && !/[?#]/.test(value);
};

/** An OpenID Connect issuer: https, no query, no trailing slash (AWS and Vault compare it as text). */
export const issuerUrl = form((value) => isIssuer(value) && !value.endsWith("/"), {
  allowed:
    "an https URL without query or trailing slash, such as https://token.actions.githubusercontent.com",
  change: "take the issuer as its tokens say it (claim `iss`)",
});

/** A cluster's issuer, character for character as its tokens say it: AKS's ends in a slash. */
export const clusterIssuerUrl = form(isIssuer, {
  allowed: "an https URL without query, such as https://oidc.eks.eu-central-1.amazonaws.com/id/ABCD",
  change: "take the issuer as the cluster publishes it (kubectl get --raw /.well-known/openid-configuration)",
});

/** A namespace of Vault or OpenBao: `teams/a`. Slashes around it mean nothing and go. */
export const vaultNamespace: z.ZodMiniType<string, string> = z.pipe(
  z.string().check(
    z.refine((value) => /^\/*[\w-]+(\/[\w-]+)*\/*$/.test(value), {
      params: {
        allowed: "a namespace such as teams/a",
        change: "write its path as the server lists it (vault namespace list)",
      },
      message: "namespace",
    }),
  ),
  z.transform((value: string) => value.replace(/^\/+|\/+$/g, "")),
);

/** The address of a server: https (http on loopback only), without path. */
export const serverAddress = form(
  (value) => {
    const url = parseUrl(value);
    if (!url || !isBare(url) || url.pathname !== "/" || value.endsWith("/")) return false;
    return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
  },
  {
    allowed:
      "an https URL of host and port only, such as https://vault.example.com:8200 (http on loopback only)",
    change: "give scheme, host and port, nothing after them",
  },
);

/** An https URL with any path, such as a webhook endpoint. */
export const webUrl = form(
  (value) => {
    const url = parseUrl(value);
    return (
      url !== undefined &&
      url.username === "" &&
      (url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname)))
    );
  },
  {
    allowed: "an https URL (http on loopback only)",
    change: "give the full https URL without user or password",
  },
);

/** The https URL of one resource, without query: a place that people take for credentials. */
export const resourceUrl = form(
  (value) => {
    const url = parseUrl(value);
    return url?.protocol === "https:" && isBare(url) && !hasStrayCharacters(value) && !/[?#]/.test(value);
  },
  {
    allowed: "an https URL without user, password, query and fragment",
    change: "give scheme, host and path only",
  },
);

/** The URL of a health check: what {@link webUrl} takes, without fragment or characters that need escaping. */
export const checkUrl = webUrl.check(
  z.refine((value) => !value.includes("#") && !hasStrayCharacters(value), {
    params: {
      allowed:
        "an https URL (http on loopback only) without fragment, white space, quotes, braces or dollar signs",
      change: "leave the fragment out, and write other characters as %XX",
    },
    message: "check URL",
  }),
);

/** Vault stores PEM without surrounding white space; kept, it would show as a change in every plan. */
// @__NO_SIDE_EFFECTS__
function trimmed(schema: z.ZodMiniType<string, string>): z.ZodMiniType<string, string> {
  return z.pipe(
    schema,
    z.transform((value) => value.trim()),
  );
}

/** One or more PEM certificates. Certificates are public; keys are refused. */
export const certificatePem = trimmed(
  form(
    (value) => {
      try {
        return new X509Certificate(value).raw.length > 0 && !value.includes("PRIVATE KEY");
      } catch {
        return false;
      }
    },
    {
      allowed: "a certificate in PEM form (-----BEGIN CERTIFICATE-----)",
      change: "paste the CA's certificate; never a private key",
    },
  ),
);

/** A public key in PEM. */
export const publicKeyPem = trimmed(
  form(
    (value) => {
      if (value.includes("PRIVATE KEY")) return false;
      try {
        return createPublicKey(value).type === "public";
      } catch {
        return false;
      }
    },
    {
      allowed: "a public key in PEM form (-----BEGIN PUBLIC KEY-----)",
      change: "paste the public key; never a private key",
    },
  ),
);

/** A host name or IP address, without scheme or port. */
export const hostName = form(
  matches(
    /^(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
  ),
  {
    allowed: "a host name or IPv4 address without scheme and port, such as db.prod.example.com",
    change: "name the host only; the port has its own setting",
  },
);

/** A TCP port. */
export const portNumber = z.int().check(z.gte(1), z.lte(65_535));

/** A network in CIDR form, of IPv4 or IPv6. */
export const cidr = form(
  (value) => {
    const [address = "", prefix = "", ...rest] = value.split("/");
    const version = isIP(address);
    return (
      version > 0 &&
      rest.length === 0 &&
      /^\d{1,3}$/.test(prefix) &&
      Number(prefix) <= (version === 4 ? 32 : 128)
    );
  },
  {
    allowed: "a network in CIDR form, such as 10.0.0.0/16",
    change: "write the address of the network and the length of its prefix",
  },
);

/**
 * A PostgreSQL name, which is quoted wherever it is used: PostgreSQL takes any character but NUL, in 63 bytes. Left out is
 * what other readers of it take for their own: control characters, and braces (Terraform's `${`, Vault's `{{`).
 */
export const postgresqlName = form(
  (value) => /^(?=\S)[^\p{C}{}]+(?<=\S)$/u.test(value) && new TextEncoder().encode(value).length <= 63,
  {
    allowed:
      "a PostgreSQL name of at most 63 bytes, without control characters, braces, and white space at its ends",
    change: "use the name as PostgreSQL shows it (\\du, \\l, \\dn), without quotes around it",
  },
);

/** The absolute path of a file on a server's disk, of characters that need no escaping in a URL. */
export const serverFilePath = form(matches(/^(\/[A-Za-z0-9._-]+)+$/), {
  allowed: "an absolute path of letters, digits, dots, hyphens and underscores",
  change: "give the file such a path",
});

/** Name of a header of HTTP. */
export const headerName = form(matches(/^[A-Za-z][A-Za-z0-9-]{0,63}$/), {
  allowed: "the name of a header, such as Authorization or X-Api-Key",
  change: "write its name without the colon",
});
