import type { Registry } from "../../lib/model";
import { rehearse } from "../../packages/rehearsal/src/rehearse/rehearse";
import { ServerGroup } from "../../packages/rehearsal/src/servers";
import { harbour } from "../fixtures/harbour";
import { print } from "./rehearsed-rotations";

/** The other company's registry of 60 secrets, rehearsed whole: too much for every run of CI. */
const registry = harbour as unknown as Registry;

test.each(registry.environmentNames)(
  "%s does what the registry says",
  async (environment) => {
    const group = ServerGroup.open();
    const began = Date.now();
    try {
      const { report, world } = await rehearse({
        registry,
        environment,
        group,
        logFolder: group.folder,
        progress: { step: (_, work) => work(() => undefined) },
      });
      const refused = report.secrets.reduce((sum, { refusedAttempts }) => sum + refusedAttempts, 0);
      print(
        `${environment}: ${report.secrets.length} secrets, ${world.plan.workloads.length} workloads, ` +
          `${refused} refused attempts, ${report.differences.length} differences, ${Date.now() - began} ms`,
      );
      expect(report.differences.map(({ log: _, ...difference }) => difference)).toEqual([]);
      expect(report.secrets).toHaveLength(world.plan.secrets.length);
    } finally {
      await group.stop();
    }
  },
  900_000,
);
