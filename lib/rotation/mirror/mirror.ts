import type { MirrorSettings } from "../../contracts/function-settings";
import type { Clock, Logbook, ProofChecks, Publications, SecretStore } from "../protocol/ports";
import { asRotationError, RotationError } from "../protocol/rotation-error";
import { Sweep } from "../protocol/sweep";
import type { MirrorRequest } from "./mirror-event";
import type { MirrorLedger, VaultOpener } from "./mirror-ports";
import { type ConnectionOutcome, rotateRoots } from "./root-rotation";
import { type SecretOutcome, SecretPublisher } from "./secret-publisher";
import { VaultLink } from "./vault-link";

/** Names in an error's text: what is beyond them stands in the log. */
const NAMED = 20;

/** Ports of the mirror. */
export interface MirrorContext {
  readonly settings: MirrorSettings;
  readonly store: SecretStore;
  readonly publications: Publications;
  readonly proofs: ProofChecks;
  readonly ledger: MirrorLedger;
  readonly server: VaultOpener;
  readonly clock: Clock;
  readonly log: Logbook;
  /** Takes every value before anything else is done with it. */
  readonly guard: (value: unknown) => void;
  /** Share of the longest pause, from 0 to less than 1, that a mirror takes which met another one. @default Math.random */
  readonly jitter?: (() => number) | undefined;
}

/** Result of a call, when nothing is left to do. */
export interface MirrorOutcome {
  readonly secrets: readonly SecretOutcome[];
  /** Connections whose root credential was rotated. */
  readonly rotated: readonly string[];
}

/**
 * The only writer to Vault: brings AWSCURRENT of one secret, or of all, to every Vault, and has Vaults rotate their
 * own logins. What cannot be served now does not hold up the rest; it is reported at the end, by an error, so that Lambda
 * tries again and keeps the event that it could not serve.
 */
export class Mirror {
  readonly #context: MirrorContext;
  readonly #secrets: Sweep;

  constructor(context: MirrorContext) {
    this.#context = context;
    this.#secrets = new Sweep(context, context.jitter);
  }

  /** @throws RotationError `mirror-incomplete`; `secret-not-ours`, and for one secret whatever keeps it from all Vaults */
  async run(request: MirrorRequest): Promise<MirrorOutcome> {
    const { settings, server } = this.#context;
    const links = settings.vaults.map((vault) => new VaultLink(vault, server));
    const publisher = new SecretPublisher({ ...this.#context, region: settings.region, vaults: links });
    try {
      return "sweep" in request
        ? await this.#sweep(publisher, links)
        : await this.#one(publisher, request.secretName);
    } finally {
      await Promise.all(links.map((link) => link.close()));
    }
  }

  async #one(publisher: SecretPublisher, name: string): Promise<MirrorOutcome> {
    const secret = this.#context.settings.secrets[name];
    if (secret === undefined) throw new RotationError("secret-not-ours", `the mirror does not serve ${name}`);
    const outcome = await publisher.publish(name, secret);
    this.#report(outcome);
    complete(laggards(outcome));
    return { secrets: [outcome], rotated: [] };
  }

  async #sweep(publisher: SecretPublisher, links: readonly VaultLink[]): Promise<MirrorOutcome> {
    const { settings, log } = this.#context;
    const lacking: string[] = [];
    const secrets: SecretOutcome[] = [];
    await this.#secrets.over(Object.entries(settings.secrets), async ([name, secret]) => {
      try {
        const outcome = await publisher.publish(name, secret);
        this.#report(outcome);
        secrets.push(outcome);
        lacking.push(...laggards(outcome));
      } catch (failure) {
        const { code, message, origin } = asRotationError(failure);
        log.warn(message, { secret: name, code, origin });
        lacking.push(`${name}: ${code}`);
      }
    });
    const connections = (await Promise.all(links.map((link) => this.#rotateRoots(link)))).flat();
    const failed = connections.filter(({ result }) => result !== "rotated");
    lacking.push(...failed.map(({ connection, result }) => `${connection}: ${codeOf(result)}`));
    complete(lacking.sort());
    return {
      secrets: secrets.sort((a, b) => (a.secret < b.secret ? -1 : 1)),
      rotated: connections.map(({ connection }) => connection),
    };
  }

  async #rotateRoots(link: VaultLink): Promise<readonly ConnectionOutcome[]> {
    const { settings, ledger, clock, log } = this.#context;
    const { connections = [] } = settings.vaults.find(({ name }) => name === link.name) ?? {};
    const outcomes = await rotateRoots(link, connections, ledger, clock);
    for (const { connection, result } of outcomes) {
      if (result === "rotated") log.info("root credential rotated", { connection });
      else log.warn(result.message, { connection, code: result.code, origin: result.origin });
    }
    return outcomes;
  }

  #report({ secret, result, versionId, written, lagging }: SecretOutcome): void {
    const { log } = this.#context;
    const fields = { secret, result, version: versionId, written: written.join(", ") || undefined };
    if (result === "not-verified") {
      log.warn("nothing proves that AWSCURRENT has passed its test, so it is not copied", fields);
    } else if (result !== "already-published") log.info("mirrored", fields);
    for (const [vault, { code, message, origin }] of Object.entries(lagging)) {
      log.warn(message, { secret, vault, code, origin });
    }
  }
}

const codeOf = (result: ConnectionOutcome["result"]): string => (result === "rotated" ? result : result.code);

const laggards = ({ secret, lagging }: SecretOutcome): readonly string[] =>
  Object.entries(lagging).map(([vault, { code }]) => `${secret} at ${vault}: ${code}`);

function complete(lacking: readonly string[]): void {
  if (lacking.length === 0) return;
  const more = lacking.length > NAMED ? [`and ${lacking.length - NAMED} more`] : [];
  throw new RotationError("mirror-incomplete", [...lacking.slice(0, NAMED), ...more].join("; "));
}
