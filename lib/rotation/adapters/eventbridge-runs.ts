import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { PROCEDURE_SOURCE, RUN_RECORDED } from "../../contracts/audit-events";
import type { RotationRecord } from "../../contracts/rotation-record";
import { RotationError } from "../protocol/rotation-error";
import { awsFailure } from "./aws-failure";

/**
 * Puts the record of a run on EventBridge, for the audit trail. It holds names, times, codes and keyed fingerprints.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export const announcedBy =
  (client: Pick<EventBridgeClient, "send">) =>
  async (record: RotationRecord): Promise<void> => {
    const call = `events:PutEvents of run ${record.id}`;
    try {
      const { FailedEntryCount: failed, Entries: [entry] = [] } = await client.send(
        new PutEventsCommand({
          Entries: [{ Source: PROCEDURE_SOURCE, DetailType: RUN_RECORDED, Detail: JSON.stringify(record) }],
        }),
      );
      if (failed !== 0) throw new RotationError("throttled", call, entry?.ErrorCode);
    } catch (failure) {
      throw awsFailure(failure, call);
    }
  };
