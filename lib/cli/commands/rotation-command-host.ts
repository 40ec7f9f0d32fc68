import type { AuditCloud } from "../cloud/audit-cloud";
import type { Places } from "../cloud/places";
import type { PreflightCloud, VaultAudit } from "../cloud/preflight-cloud";
import type { RotationHost } from "../verbs/direct-rotation";
import type { FailoverHost } from "../verbs/failover";
import type { CommandHost } from "./command-host";

/** Host of commands that rotate, beside what all get. */
export interface RotationCommandHost extends CommandHost {
  /**
   * AWS, time and progress.
   *
   * @param profiles `prod=acme-prod`, one for each environment that has its own
   */
  rotation(profiles?: readonly string[]): RotationHost;
  /** AWS, region by region. */
  failover(): FailoverHost;
  /** Issuers and Vaults. */
  places(): Places;
  /** The audit trail in a region of AWS. */
  auditTrail(region: string): AuditCloud;
  /** AWS and Vaults, to be asked before a deployment. */
  preflight(
    region: string,
    tokenOf: (vault: string) => string | undefined,
  ): { readonly cloud: PreflightCloud; readonly audit: VaultAudit };
}
