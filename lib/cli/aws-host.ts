import { profileSetting, profilesIn } from "./commands/profiles";
import type { RotationCommandHost } from "./commands/rotation-command-host";
import type { Pace } from "./driver/pace";
import type { Terminal } from "./terminal/terminal";
import type { RotationHost } from "./verbs/direct-rotation";

/** Settings of {@link awsHost}; tests give their own. */
export interface AwsHostSettings {
  /** @default real time */
  readonly pace?: Pace | undefined;
  /** AWS as the verbs of rotation see it. @default by the SDK's own chain */
  readonly cloudIn?: RotationHost["cloudIn"] | undefined;
}

/** The part of a host that asks AWS, Vaults and issuers. */
export type AwsHost = Pick<
  RotationCommandHost,
  "rotation" | "failover" | "preflight" | "auditTrail" | "places"
>;

/** A host by AWS's SDK. Each part is required when it is asked for, so that verbs that ask nobody start without the SDK. */
export const awsHost = (terminal: Terminal, { pace, cloudIn }: AwsHostSettings): AwsHost => ({
  rotation: (profiles = []) => {
    const given = profilesIn(profiles);
    const { AwsRotationCloud } =
      require("./cloud/aws-rotation-cloud") as typeof import("./cloud/aws-rotation-cloud");
    const { progressOn } = require("./render/progress") as typeof import("./render/progress");
    const { REAL_PACE } = require("./driver/pace") as typeof import("./driver/pace");
    return {
      terminal,
      progress: progressOn(terminal),
      pace: pace ?? REAL_PACE,
      cloudIn:
        cloudIn ??
        ((region, environment) => new AwsRotationCloud({ region, ...profileSetting(environment, given) })),
    };
  },
  failover: () => {
    const { AwsFailoverCloud } =
      require("./cloud/aws-failover-cloud") as typeof import("./cloud/aws-failover-cloud");
    const { progressOn } = require("./render/progress") as typeof import("./render/progress");
    return {
      terminal,
      progress: progressOn(terminal),
      cloudIn: (region) => new AwsFailoverCloud({ region }),
    };
  },
  preflight: (region, tokenOf) => {
    const { AwsPreflightCloud } =
      require("./cloud/aws-preflight-cloud") as typeof import("./cloud/aws-preflight-cloud");
    const { vaultAudit } = require("./cloud/vault-audit") as typeof import("./cloud/vault-audit");
    return { cloud: new AwsPreflightCloud({ region }), audit: vaultAudit(tokenOf) };
  },
  auditTrail: (region) =>
    (require("./cloud/aws-audit-cloud") as typeof import("./cloud/aws-audit-cloud")).awsAuditCloud({
      region,
    }),
  places: () => (require("./cloud/https-places") as typeof import("./cloud/https-places")).httpsPlaces,
});
