import type { RotatedSecret } from "../../contracts/function-settings";
import { rulesMakeValue } from "../../model/generic-settings";
import type { KindSettings } from "../../model/kinds";
import type { Random } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { AcceptingTarget, Attempt, Retirement, SingleSlotTarget } from "../protocol/target";
import { randomText } from "../values/random-text";
import { genericValueSchema } from "../values/value-schemas";
import type { CredentialCheck, GenericValue } from "./credential-check";
import { generateByRule } from "./generation-rule";
import { type HttpServer, httpCredentialCheck } from "./http-credential-check";
import type { SqlServer } from "./sql";
import { sqlCredentialCheck } from "./sql-credential-check";

const LENGTH = 48;

/** Systems that a check can ask. */
export interface CheckedServers {
  readonly http: HttpServer;
  readonly sql: SqlServer;
}

/** Settings and ports of the generic target. */
export interface GenericTargetProps
  extends Pick<RotatedSecret<"generic">, "settings" | "rotation" | "acceptedBy"> {
  readonly random: Random;
  readonly servers: CheckedServers;
}

/**
 * A secret of which only the form is known.
 *
 * `automatic`: every field is made by its rule. Nobody but own workloads uses it, and they disagree until all have
 * reloaded: at most the refresh interval and the reload margin.
 *
 * `operator-assisted`: a person supplies the value, or takes a made one to the target; the check proves it. With a single
 * slot, what consumers hold fails from that change until they have reloaded. Accepted by `target`, old and new
 * live side by side, and decommission is done when the check is refused with the old one; only a person can end it.
 */
export function genericTarget(
  props: GenericTargetProps,
): AcceptingTarget<GenericValue> | SingleSlotTarget<GenericValue> {
  const { settings, rotation, acceptedBy, random, servers } = props;
  const { fields, generate: rules } = settings;
  const check = checkOf(settings, servers);
  const credentialOf = check?.credentialOf ?? JSON.stringify;

  const shared = {
    schema: genericValueSchema(fields),

    async generate(_predecessor: GenericValue | undefined, _attempt: Attempt, staged?: GenericValue) {
      if (staged !== undefined) return staged;
      if (rotation !== "automatic" && !rulesMakeValue(settings)) {
        throw new RotationError("operator-needed", `a person supplies ${fields.join(", ")}`);
      }
      return Object.fromEntries(
        fields.map((field) => {
          const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
          return [field, rule ? generateByRule(random, rule) : randomText(random, LENGTH)];
        }),
      );
    },

    checkSuccession(pending: GenericValue, predecessor: GenericValue | undefined) {
      if (predecessor === undefined) return;
      if (credentialOf(pending) === credentialOf(predecessor)) {
        throw new RotationError("value-repeated", "the version repeats the current value");
      }
      if (acceptedBy === "target" && check?.slotOf(pending) === check?.slotOf(predecessor)) {
        throw new RotationError(
          "user-mismatch",
          "the value's login is the one in use: a new password would end it for its consumers",
        );
      }
    },

    // Nothing installs it: own workloads read it, or a person has been at the target.
    install: async () => undefined,

    // Without a check the machine has read it by its schema: every field is there and none is empty.
    test: async (value: GenericValue) => check?.prove(value),
  };

  if (acceptedBy === "single-slot") return { ...shared, acceptedBy };
  if (acceptedBy !== "target" || check === undefined) {
    throw new RotationError("settings-malformed", `a generic secret accepted by ${acceptedBy} needs a check`);
  }
  return { ...shared, acceptedBy, retire: (retirement) => seeDead(check, retirement) };
}

function checkOf(
  { check, config }: KindSettings<"generic">,
  { http, sql }: CheckedServers,
): CredentialCheck | undefined {
  if (check === undefined) return undefined;
  return check.how === "http"
    ? httpCredentialCheck(check, config, http)
    : sqlCredentialCheck(check, config, sql);
}

/** Refuses an old credential that the target still accepts; nothing here can end it. */
async function seeDead(check: CredentialCheck, { retired, kept }: Retirement<GenericValue>): Promise<void> {
  // A newer value has taken the login over, so the old password is gone; or the old credential is in use again.
  if (kept.some((value) => check.slotOf(value) === check.slotOf(retired))) return;
  // A refusal means something only where a good credential is taken.
  const [current] = kept;
  if (current !== undefined) await check.prove(current);
  if (await check.accepts(retired)) {
    throw new RotationError("still-accepted", "the target takes the old credential beside the new one");
  }
}
