import { KIND_NAMES, KINDS } from "../../lib/model";
import { accepted, combinations, describeCombination, registryOf } from "./combinations";

describe("every combination of kind, store, rotation, acceptance, login, engine, check and admin", () => {
  const valid = accepted();

  test("is a registry or a fault, and the accepted ones stand in one registry together", () => {
    expect(valid.length).toBeGreaterThan(0);
    expect(valid.length).toBeLessThan(combinations().length);
    expect(registryOf(valid).secretsIn("dev" as never).length).toBeGreaterThanOrEqual(valid.length);
  });

  test("is accepted in some form for each store, rotation and acceptance that a kind's table lists", () => {
    for (const kind of KIND_NAMES) {
      const { stores, rotation, acceptedBy } = KINDS[kind];
      const of = valid.filter((combination) => combination.kind === kind);
      expect([kind, new Set(of.map(({ store }) => store))]).toEqual([kind, new Set(stores)]);
      expect([kind, new Set(of.map((one) => one.rotation))]).toEqual([kind, new Set(rotation)]);
      expect([kind, new Set(of.map((one) => one.acceptedBy))]).toEqual([kind, new Set(acceptedBy)]);
    }
  });

  test("needs no admin secret where people make and end a vendor's keys", () => {
    const words = valid.map(describeCombination);
    expect(words).toContain("sendgrid, aws, operator-assisted, target, no admin");
    expect(words).toContain("datadog, aws, operator-assisted, target, no admin");
    expect(words).not.toContain("sendgrid, aws, automatic, target, no admin");
    expect(words).not.toContain("datadog, aws, automatic, target, no admin");
  });

  test("takes no admin secret that rotation would never use", () => {
    const named = valid.filter(({ isAdminNamed }) => isAdminNamed).map(describeCombination);
    expect(named).toEqual([
      "postgresql-user, aws, automatic, target, admin",
      "postgresql-user, login alternating, aws, automatic, target, admin",
      // A value may still live in an ACL user of own servers.
      "redis-auth-token, engine elasticache, aws, automatic, target, admin",
      "redis-auth-token, engine elasticache-user, aws, automatic, target, admin",
      "redis-auth-token, engine memorydb-user, aws, automatic, target, admin",
      "redis-auth-token, engine acl, aws, automatic, target, admin",
      "stripe, api, aws, automatic, target, admin",
      "sendgrid, aws, automatic, target, admin",
      "sendgrid, aws, operator-assisted, target, admin",
      "datadog, aws, automatic, target, admin",
      "datadog, aws, operator-assisted, target, admin",
    ]);
  });
});
