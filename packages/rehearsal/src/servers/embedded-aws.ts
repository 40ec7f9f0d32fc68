import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import * as z from "zod/mini";
import { type TAUGHT_CONDITION_KEYS, TAUGHT_SERVER } from "./embedded-aws-conditions";
import { startOnFreePort } from "./free-port";
import { provision } from "./provision";
import { sendJson } from "./send-json";
import { ServerFault } from "./server-fault";
import { startInGroup } from "./server-group";
import {
  PROBE_TIMEOUT_MS,
  type ProvisionedServerOptions,
  START_TIMEOUT_MS,
  serverEnvironment,
} from "./server-options";

/** Options of {@link startEmbeddedAws}. */
export interface EmbeddedAwsOptions extends ProvisionedServerOptions {
  /**
   * More settings of the server, as environment variables (`SFN_WAIT_SCALE`, `LAMBDA_ACCOUNT_CONCURRENCY`).
   * Lambda functions see them too: no credentials here.
   */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Without the condition keys that it is taught ({@link TAUGHT_CONDITION_KEYS}).
   * @default false
   */
  readonly asItComes?: boolean;
}

/** Credentials as the AWS SDK takes them. */
export interface RootCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A running embedded AWS: all accounts and all regions behind one endpoint, IAM enforced. */
export interface EmbeddedAws {
  /** `http://127.0.0.1:<port>`, for the SDK's `endpoint` or `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  readonly logFile: string;
  /**
   * Credentials that may do everything in an account, to set things up. Never act with them in an assertion.
   * Regions need no preparation: the one that a request is signed for is the one that it acts in.
   *
   * @param accountId twelve digits
   * @throws ServerFault for anything else, which the server would silently take for account 000000000000
   */
  rootCredentials(accountId: string): RootCredentials;
  /** Ends the server; all its state is gone. */
  stop(): Promise<void>;
}

const Health = z.object({ auth: z.literal("enabled"), edition: z.string() });

/**
 * Starts the embedded AWS (ministack). Where it is not AWS stands in {@link EMBEDDED_AWS_GAPS}.
 *
 * @throws ServerFault when it cannot be installed or does not come up
 */
export async function startEmbeddedAws(options: EmbeddedAwsOptions = {}): Promise<EmbeddedAws> {
  const { python } = await provision(options);
  return startInGroup(options.group, async (group) => {
    const place = group.placeFor("embedded-aws");
    const { folder, logFile } = place;
    const subfolder = (name: string) => {
      const path = join(folder, name);
      mkdirSync(path);
      return path;
    };
    // Repeated by the health answer: proves that who answers on the port is the server that we started.
    const mark = randomUUID();
    const environment = {
      ...serverEnvironment(folder),
      ...options.settings,
      // Lambda functions run with the Node that runs us.
      PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`,
      TMPDIR: subfolder("tmp"),
      STATE_DIR: subfolder("state"),
      S3_DATA_DIR: subfolder("s3"),
      MINISTACK_EDITION: mark,
      AUTH: "true",
      BIND_HOST: "127.0.0.1",
      // Else it listens on port 8883 of every interface.
      IOT_MTLS_ENABLED: "0",
      SFTP_ENABLED: "0",
      // With a Docker socket it would remove all containers that carry its label, those of somebody else's
      // server included.
      DOCKER_HOST: `unix://${join(folder, "no-docker.sock")}`,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUNBUFFERED: "1",
    };
    const { port, server } = await startOnFreePort(async (port) => {
      const server = group.startProcess({
        name: "embedded AWS",
        command: python,
        args: options.asItComes ? ["-m", "ministack"] : ["-c", TAUGHT_SERVER],
        environment: { ...environment, GATEWAY_PORT: String(port) },
        folder,
        logFile,
      });
      await server.whenReady(async () => {
        const url = `http://127.0.0.1:${port}/_ministack/health`;
        const { body } = await sendJson({ url, timeoutMs: PROBE_TIMEOUT_MS });
        return Health.parse(body).edition === mark;
      }, options.startTimeoutMs ?? START_TIMEOUT_MS);
      return { port, server };
    });
    return {
      endpoint: `http://127.0.0.1:${port}`,
      logFile,
      rootCredentials,
      stop: group.adopt(place, () => server.stop()),
    };
  });
}

/**
 * The server takes an access key id of twelve digits for the root user of that account, and does not check the
 * signature of a root user (`core/responses.py`, `core/iam_evaluator.py` of ministack 1.5.33).
 */
function rootCredentials(accountId: string): RootCredentials {
  if (!/^\d{12}$/.test(accountId)) {
    throw new ServerFault(
      `Embedded AWS: account ${JSON.stringify(accountId)}; an account id has twelve digits.`,
    );
  }
  return { accessKeyId: accountId, secretAccessKey: "test" };
}
