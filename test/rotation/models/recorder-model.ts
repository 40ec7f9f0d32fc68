import type { KindName } from "../../../lib/model";
import { Recorder, type RecorderContext } from "../../../lib/rotation/procedure/recorder";

/** The recorder with its records in memory; it refuses records that nobody could read again. */
export function recorderModel(
  name: string,
  secret: { readonly key: string; readonly kind: KindName },
  { runs, clock }: Pick<RecorderContext, "runs" | "clock">,
): { readonly recorder: Recorder; readonly records: Map<string, string> } {
  const records = new Map<string, string>();
  const recorder = new Recorder({
    settings: {
      registry: "acme",
      environment: "test",
      region: "eu-central-1",
      runsTable: "runs",
      changesTable: "changes",
      recordsBucket: "records",
      secrets: { [name]: secret },
    },
    runs,
    archive: {
      writeOnce: async (object, text) => {
        const written = records.get(object) ?? text;
        records.set(object, written);
        return written;
      },
    },
    clock,
  });
  return { recorder, records };
}
