/** Answer of an address, or the reason for none. */
export type PlaceAnswer =
  | { readonly reached: true; readonly status: number; readonly body: string }
  /** `trusted: false`: something is there, and its certificate is not what it should be. */
  | { readonly reached: false; readonly trusted: boolean; readonly reason: string };

/** Issuers and Vaults, as seen from where the command runs. */
export interface Places {
  /**
   * GET over TLS, without redirects.
   *
   * @param caPem the only authority that is believed. Default: those that Node.js trusts
   */
  get(url: string, caPem?: string): Promise<PlaceAnswer>;
}
