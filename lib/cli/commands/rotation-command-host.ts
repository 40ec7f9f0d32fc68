import type { Places } from "../cloud/places";
import type { CommandHost } from "../command-host";
import type { RotationHost } from "../verbs/rotate";

/** What commands that rotate get from the program beside what all get. */
export interface RotationCommandHost extends CommandHost {
  /** AWS, time and progress. */
  rotation(): RotationHost;
  /** Issuers and Vaults. */
  places(): Places;
}
