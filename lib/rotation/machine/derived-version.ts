import { createHash } from "node:crypto";
import type { PhaseRequest } from "../protocol/event";

/**
 * The version id of what a run derives from AWSCURRENT: the same for the same run. Secrets Manager takes 32 to
 * 64 characters.
 */
export const derivedVersionId = ({
  runId,
  phase,
  versionId,
}: Pick<PhaseRequest, "runId" | "phase" | "versionId">): string =>
  createHash("sha256")
    .update(JSON.stringify([runId, phase, versionId]))
    .digest("hex");
