import { propertyRuns } from "../../property-runs";
import { postgresqlSequences } from "../models/postgresql-sequence-kind";
import { PostgresqlWorld } from "../models/postgresql-world";
import { describeTally, trySequences } from "../models/sequence-property";

/** Each look asks a server over a socket, so CI tries few. */
const SIZES = { ci: 4, nightly: 1_000 };

let world: PostgresqlWorld;
beforeAll(async () => {
  world = await PostgresqlWorld.start();
}, 120_000);
afterAll(() => world?.stop());

test("after any sequence on a real PostgreSQL the next rotation succeeds, no consumer is refused, and no login lives that nobody may use", async () => {
  const kind = postgresqlSequences(world);
  const tally = await trySequences(kind, propertyRuns(`sequences, ${kind.name}`, SIZES));
  process.stdout.write(
    `${kind.name}: ${describeTally(tally)}; ${kind.realLogIns()} of them asked of the server\n`,
  );
  expect(tally.logIns).toBeGreaterThan(100);
  expect(kind.realLogIns()).toBeGreaterThan(10);
  expect([tally.refused, tally.orphans]).toEqual([0, 0]);
}, 7_200_000);
