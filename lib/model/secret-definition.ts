import * as z from "zod/mini";
import { tagText } from "./aws-grammar";
import type { Duration } from "./duration";
import { calendarDate, duration, oneLine, secretKey } from "./grammar";
import {
  type AcceptedBy,
  KIND_NAMES,
  type KindName,
  type KindSettingsInput,
  type RotationMode,
  type Store,
} from "./kinds";
import { SECRET_PATH } from "./kubernetes-grammar";

/** Secrets, their consumers and files as an author writes them, and the run-time schema of the same. */

/** One file that the agent renders from a secret. */
export interface FileInput {
  /**
   * `json`: all fields and public settings as one object. `env`: `NAME='value'` lines for a POSIX shell.
   * `public`: only the field that may be given to anyone (a JWKS). `template`: the author's own.
   */
  readonly format: "json" | "env" | "public" | "template";
  /** Path below the workload's `secretVolumePath`. Default: the key with the format's ending. */
  readonly path?: string;
  /**
   * Octal file mode. Default: `0400` where the workload names `runAsUser`, else `0644` (the volume is the pod's
   * alone).
   */
  readonly mode?: string;
  /** Prefix of `env` names. Default: the key in capitals, `DB_APP_PRIMARY_`. */
  readonly prefix?: string;
  /**
   * `true`, for `json` and `env` of a secret with store `aws`: the version's id stands beside the fields, as `_version`
   * or `<prefix>VERSION`, so that an application can say which version it uses. Default: `false`.
   */
  readonly version?: boolean;
  /**
   * Text of a `template`, as consul-template reads it, in which `SECRET_PATH`, as a word of its own, stands for the
   * secret's Vault path.
   */
  readonly template?: string;
}

/** A consumer, with its own files where the secret's do not suit it, or in some environments only. */
export type ConsumerInput<W extends string = string, E extends string = string> =
  | W
  | {
      readonly workload: W;
      /** Default: the secret's own. */
      readonly files?: readonly FileInput[];
      /** Environments in which it reads the secret. Default: all that have the secret. */
      readonly environments?: readonly E[];
      /**
       * Last day, in UTC, on which it may read the secret: `2027-03-31`. The first synth of a later day leaves it out. Default: it
       * may for as long as it stands here.
       */
      readonly until?: string;
    };

/** A consumer of one environment. */
export type ConsumerInEnvironmentInput<W extends string = string> =
  | W
  | {
      readonly workload: W;
      /** Default: the secret's own. */
      readonly files?: readonly FileInput[];
      /** Last day, in UTC, on which it may read the secret. Default: no last day. */
      readonly until?: string;
    };

/** Fields that secrets of every kind have. */
export interface SecretInputCommon<W extends string, K extends string, E extends string = string> {
  readonly description: string;
  /** Team that answers for it. */
  readonly owner: string;
  readonly consumers: readonly ConsumerInput<W, E>[];
  /** Rotation cadence: `days(30)`. */
  readonly rotateEvery: Duration;
  /**
   * Days of rotations that start by themselves. `cadence`: a fixed number of days apart, from 10 days on one less than
   * `rotateEvery`. `calendar`: on fixed days of the month, the year or the week, as often as keeps the cadence: 30 days
   * are two days of each month. Default: `cadence`.
   */
  readonly schedule?: "cadence" | "calendar";
  readonly store: Store;
  /** Default: by kind. */
  readonly acceptedBy?: AcceptedBy;
  /** Default: by kind. */
  readonly rotation?: RotationMode;
  /** Old and new value are published together. Default: what `acceptedBy` allows. */
  readonly dualWrite?: boolean;
  /**
   * Time for which the old credential lives beside the new one. Default: refresh + twice the margin + the kind's own lag.
   */
  readonly overlap?: Duration;
  /** Damage that a leak would do; a tag. Default: `confidential`. */
  readonly classification?: "internal" | "confidential" | "restricted";
  /** Files for each consumer. Default: one JSON file, and a JWKS beside a signing key. */
  readonly files?: readonly FileInput[];
  /** Secret of this registry that rotation needs to change this one (an admin credential). */
  readonly admin?: K;
  /**
   * Network in which its rotation function runs; `none`: outside of a VPC. Default: the environment's first network for a
   * target that lies in one (PostgreSQL, Redis, a generic secret with a check), else none.
   */
  readonly network?: string;
  /** Former keys, oldest first: the cloud keeps the oldest name, Terraform moves the address. */
  readonly renamedFrom?: string | readonly string[];
  /** Date from which nobody needs it: grants are gone at once, the entry may be removed after the date. */
  readonly retired?: string;
}

/** Differences of a secret in one environment. */
export interface SecretInEnvironmentInput<Settings, W extends string = string> {
  /** `optional`: only where the environment's `optIn` names it. Default: `required`. */
  readonly presence?: "required" | "optional" | "absent";
  /** All that read it here, in place of the secret's own consumers. Default: the secret's own. */
  readonly consumers?: readonly ConsumerInEnvironmentInput<W>[];
  readonly rotation?: RotationMode;
  readonly rotateEvery?: Duration;
  readonly classification?: "internal" | "confidential" | "restricted";
  readonly network?: string;
  /** Settings that differ here; merged over the secret's own. */
  readonly settings?: Partial<Settings>;
}

/** One secret, discriminated by its `kind`. */
export type SecretInput<E extends string = string, W extends string = string, K extends string = string> = {
  readonly [Kind in KindName]: SecretInputCommon<W, K, E> & {
    readonly kind: Kind;
    /** Settings of the kind that are the same everywhere. */
    readonly settings?: Partial<KindSettingsInput<Kind>>;
    /** Differences per environment; an environment that is not named has the secret as it stands. */
    readonly environments?: { readonly [P in E]?: SecretInEnvironmentInput<KindSettingsInput<Kind>, W> };
  };
}[KindName];

const filePath = z.string().check(
  z.refine(
    (value) =>
      /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(value) &&
      !/(^|\/)\.{1,2}(\/|$)/.test(value) &&
      value.length <= 200,
    {
      params: {
        allowed: "a relative path of letters, digits, dots, hyphens and underscores",
        change: "give a path below /vault/secrets, without ..",
      },
      message: "path",
    },
  ),
);

/** Run-time schema of a rendered file. */
export const fileSchema = z
  .strictObject({
    format: z.enum(["json", "env", "public", "template"]),
    path: z.optional(filePath),
    mode: z.optional(
      z.string().check(
        z.refine((value) => /^0[0-7]{3}$/.test(value), {
          params: {
            allowed: "four octal digits such as 0644",
            change: "write the mode as a string of four octal digits",
          },
          message: "mode",
        }),
      ),
    ),
    prefix: z.optional(
      z.string().check(
        z.refine((value) => /^[A-Z_][A-Z0-9_]*$/.test(value), {
          params: {
            allowed: "capitals, digits and underscores, such as DB_",
            change: "use a prefix that a shell takes",
          },
          message: "prefix",
        }),
      ),
    ),
    version: z.optional(z.boolean()),
    template: z.optional(z.string()),
  })
  .check(
    z.refine((file) => (file.format === "template") === (file.template !== undefined), {
      params: {
        allowed: "`template` text with format `template`, and only there",
        change: "add the template, or choose another format",
      },
      message: "template",
      path: ["template"],
    }),
    z.refine((file) => file.template === undefined || file.template.search(SECRET_PATH) >= 0, {
      params: {
        allowed: "a template that reads the secret at SECRET_PATH",
        change: 'write {{ with secret "SECRET_PATH" }} … {{ end }}: the path differs per environment',
      },
      message: "template",
      path: ["template"],
    }),
    z.refine((file) => file.version !== true || file.format === "json" || file.format === "env", {
      params: {
        allowed: "the version in formats json and env",
        change: "remove it; a template writes {{ .Data.data._version }} itself",
      },
      message: "version",
      path: ["version"],
    }),
    z.refine((file) => file.format !== "template" || file.path !== undefined, {
      params: {
        allowed: "a path for a template's file",
        change: "add `path`: a template has no ending of its own",
      },
      message: "path",
      path: ["path"],
    }),
  );

const filesOfConsumer = z.optional(z.array(fileSchema).check(z.minLength(1)));

const classification = z.enum(["internal", "confidential", "restricted"]);

const acceptedBy = z.enum(["target", "own-workloads", "single-slot"]);

const rotation = z.enum(["automatic", "operator-assisted", "manual-dual-publish"]);

/** Run-time schema of a secret, without the settings of its kind: those are checked per environment, merged. */
export const secretSchema = z.strictObject({
  kind: z.enum(KIND_NAMES),
  description: oneLine,
  owner: tagText,
  consumers: z.array(
    z.union([
      z.string(),
      z.strictObject({
        workload: z.string(),
        files: filesOfConsumer,
        environments: z.optional(z.array(z.string()).check(z.minLength(1))),
        until: z.optional(calendarDate),
      }),
    ]),
  ),
  rotateEvery: duration,
  schedule: z._default(z.enum(["cadence", "calendar"]), "cadence"),
  store: z.enum(["aws", "vault"]),
  acceptedBy: z.optional(acceptedBy),
  rotation: z.optional(rotation),
  dualWrite: z.optional(z.boolean()),
  overlap: z.optional(duration),
  classification: z._default(classification, "confidential"),
  files: z.optional(z.array(fileSchema).check(z.minLength(1))),
  admin: z.optional(z.string()),
  network: z.optional(z.string()),
  renamedFrom: z._default(
    z.union([
      z.pipe(
        secretKey,
        z.transform((key) => [key]),
      ),
      z.array(secretKey).check(z.minLength(1)),
    ]),
    [],
  ),
  retired: z.optional(calendarDate),
  settings: z._default(z.record(z.string(), z.unknown()), {}),
  environments: z._default(
    z.record(
      z.string(),
      z.strictObject({
        presence: z._default(z.enum(["required", "optional", "absent"]), "required"),
        consumers: z.optional(
          z.array(
            z.union([
              z.string(),
              z.strictObject({
                workload: z.string(),
                files: filesOfConsumer,
                until: z.optional(calendarDate),
              }),
            ]),
          ),
        ),
        rotation: z.optional(rotation),
        rotateEvery: z.optional(duration),
        classification: z.optional(classification),
        network: z.optional(z.string()),
        settings: z._default(z.record(z.string(), z.unknown()), {}),
      }),
    ),
    {},
  ),
});

/** A secret with every default filled in, settings not yet merged. */
export type ParsedSecret = z.output<typeof secretSchema>;

/** A rendered file as checked. */
export type ParsedFile = z.output<typeof fileSchema>;
