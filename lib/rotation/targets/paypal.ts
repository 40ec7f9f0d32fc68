import type { KindSettings } from "../../model/kinds";
import { RotationError } from "../protocol/rotation-error";
import type { AcceptingTarget } from "../protocol/target";
import { type KindValue, VALUE_SCHEMAS } from "../values/value-schemas";

/** The value of `paypal`. */
export type PayPalValue = KindValue<"paypal">;

/** PayPal's token service, as far as rotation uses it. */
export interface PayPalTokens {
  /** `true` when a client gets a token by its secret. */
  lets(credential: PayPalValue): Promise<boolean>;
}

/** Ports and settings of the target for PayPal. */
export interface PayPalTargetProps {
  readonly settings: KindSettings<"paypal">;
  readonly tokens: PayPalTokens;
}

/**
 * An app at PayPal has two secrets, which only a person can make, disable and delete, in the developer dashboard. So an
 * operator supplies the new one; the rotation proves that it works, and in the end that the old one does not.
 * https://developer.paypal.com/api/rest/#link-getclientidandclientsecret
 */
export function payPalTarget({ settings, tokens }: PayPalTargetProps): AcceptingTarget<PayPalValue> {
  const app = `the ${settings.mode} app of PayPal account ${settings.account}`;
  const isSame = (a: PayPalValue, b: PayPalValue): boolean =>
    a.clientId === b.clientId && a.clientSecret === b.clientSecret;

  const prove = async (value: PayPalValue): Promise<void> => {
    if (await tokens.lets(value)) return;
    throw new RotationError("target-refused", `${app} does not know this client id with this secret`);
  };

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS.paypal,

    async generate(_predecessor, _attempt, staged) {
      if (staged !== undefined) return staged;
      throw new RotationError("operator-needed", `PayPal has no API for the secrets of ${app}`);
    },

    checkSuccession(pending, predecessor) {
      if (predecessor !== undefined && isSame(pending, predecessor)) {
        throw new RotationError("value-repeated", `the version repeats the current secret of ${app}`);
      }
    },

    // PayPal accepts the secret since a person made it there.
    install: async () => undefined,

    test: prove,

    async retire({ retired, kept }) {
      if (kept.some((value) => isSame(value, retired))) return;
      // A refusal means something only where a good credential is taken.
      for (const value of kept.slice(0, 1)) await prove(value);
      if (!(await tokens.lets(retired))) return;
      throw new RotationError(
        "still-accepted",
        `disable the old secret of ${app} in PayPal's developer dashboard, and delete it there once this has passed`,
      );
    },
  };
}
