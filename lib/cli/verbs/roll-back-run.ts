import type { Registry } from "../../model";
import { FailedRotation } from "../driver/failed-rotation";
import type { RotationHost } from "./direct-rotation";
import { inspect, type ProcedureReport } from "./procedure-work";

/**
 * Has the open run of a secret taken back, and follows that.
 *
 * @throws UserFault when there is none, or when it is over
 */
export async function rollBackRun(
  registry: Registry,
  key: string,
  environment: string,
  host: RotationHost,
): Promise<ProcedureReport> {
  const { found, driver, versions } = await inspect(registry, key, environment, host);
  const subject = { secret: key, environment, rotation: found.secret.rotation };
  try {
    const again = () => driver.rollBack(found.secret);
    const run = await driver.follow(found.secret, await again(), again);
    // A run that was withdrawn may never have come so far that its function has used up what was supplied.
    if (run.status === "withdrawn" && found.secret.inbox !== undefined) await versions.takeBack(found.secret);
    const isBack = run.status === "rolled-back" || run.status === "withdrawn";
    return { ...subject, outcome: isBack ? "rolled-back" : "failed", runs: [run] };
  } catch (failure) {
    if (!(failure instanceof FailedRotation)) throw failure;
    const { code, message, retryable } = failure;
    return { ...subject, outcome: "failed", runs: [], fault: { code, message, retryable } };
  }
}
