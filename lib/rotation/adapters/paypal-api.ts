import * as z from "zod/mini";
import type { KindSettings } from "../../model/kinds";
import { RotationError } from "../protocol/rotation-error";
import type { PayPalTokens, PayPalValue } from "../targets/paypal";
import { basic, VendorApi } from "./vendor-api";

/** https://developer.paypal.com/api/rest/requests/#link-apirequests */
const HOSTS = { sandbox: "https://api-m.sandbox.paypal.com", live: "https://api-m.paypal.com" } as const;

const answer = z.object({ token_type: z.literal("Bearer") });

/** {@link PayPalTokens} at PayPal. The token is thrown away. */
export class PayPalApi implements PayPalTokens {
  readonly #api: VendorApi;

  constructor({ mode, apiUrl }: Pick<KindSettings<"paypal">, "mode" | "apiUrl">) {
    this.#api = new VendorApi({ baseUrl: apiUrl ?? HOSTS[mode] });
  }

  async lets({ clientId, clientSecret }: PayPalValue): Promise<boolean> {
    const response = await this.#api.call({
      method: "POST",
      path: "/v1/oauth2/token",
      headers: basic(clientId, clientSecret),
      presents: "credential",
      form: { grant_type: "client_credentials" },
      answers: [401, 404],
    });
    if (response.status === 404) {
      throw new RotationError(
        "target-misconfigured",
        `${this.#api.host} is not PayPal: correct apiUrl`,
        "HTTP-404",
      );
    }
    if (response.status === 401) return false;
    this.#api.read(response, answer);
    return true;
  }
}
