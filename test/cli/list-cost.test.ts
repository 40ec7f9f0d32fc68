import { blueprint } from "../../lib/blueprint";
import { renderList } from "../../lib/cli/render/results";
import { list } from "../../lib/cli/verbs/list";
import type { Registry } from "../../lib/model";
import { costDriversOf, PRICES } from "../../lib/preview";
import { registry as organisation } from "../../registry";
import { registryIn } from "../model/registry-in-partition";
import { synthesize } from "../stacks/synthesized";
import { cli } from "./run-cli";

const NOW = new Date("2026-12-01T00:00:00Z");

const round = (amount: number): number => Math.round(amount * 100) / 100;

describe("list --cost", () => {
  test.each(["dev", "stage", "prod"])("%s: rows add up to its secrets, parts to its total", (name) => {
    const [listing] = list(organisation as unknown as Registry, [name], NOW, { cost: true });
    const cost = listing?.cost;
    expect(round((listing?.secrets ?? []).reduce((sum, row) => sum + (row.cost?.month ?? 0), 0))).toBe(
      cost?.secrets,
    );
    if (!cost) throw new Error("no cost");
    expect(round(cost.secrets + cost.keys + cost.alarms + cost.functions + cost.calls)).toBe(cost.total);
    expect(cost.secrets).toBeGreaterThan(0);
  });

  test("an example reckoned by hand: $0.40 for each region and inbox, nothing for what Vault owns", () => {
    const plan = blueprint(organisation as unknown as Registry, "prod");
    const [listing] = list(organisation as unknown as Registry, ["prod"], NOW, { cost: true });
    for (const row of listing?.secrets ?? []) {
      const secret = plan.secrets.find(({ key }) => key === row.secret);
      const inbox = secret?.store === "aws" && secret.inbox ? 1 : 0;
      const copies = row.store === "vault" ? 0 : row.regions.length + inbox;
      expect(row.cost).toEqual({ copies, month: round(copies * 0.4) });
    }
    expect(listing?.secrets.filter(({ store }) => store === "vault").map(({ cost }) => cost)).toEqual([
      { copies: 0, month: 0 },
    ]);
  });

  test.each(["dev", "prod"])("%s: keys and alarms are as many as Terraform makes", (name) => {
    const registry = organisation as unknown as Registry;
    const terraform = synthesize({ registry, environment: name }, (stack) => stack.resource);
    const made = (type: string): number => Object.keys(terraform?.[type] ?? {}).length;
    const { alarms, keys } = costDriversOf(blueprint(registry, name));
    expect(alarms).toBe(made("aws_cloudwatch_metric_alarm"));
    expect(keys).toBe(made("aws_kms_key") + made("aws_kms_replica_key"));
  });

  test.each(["aws-cn", "aws-us-gov", "aws-eusc"] as const)("in %s it is an estimate, and says so", (name) => {
    const listings = list(registryIn(name), ["prod"], NOW, { cost: true });
    expect(listings[0]?.cost).toMatchObject({ region: "us-east-1", otherPartition: name });
    expect(renderList(listings, "text")).toContain(
      `This environment is in ${name}, which has price lists of its own`,
    );
  });

  test("says the day, region and pages of its prices, what is left out, in each format; and nothing unasked", async () => {
    const text = (await cli("list", "--env", "prod", "--cost")).out;
    expect(text).toMatch(/A MONTH/);
    expect(text).toMatch(
      /A month costs \$\d+\.\d\d: secrets \$\d+\.\d\d, keys \$\d+\.\d\d, alarms \$\d+\.\d\d, functions \$\d+\.\d\d, calls \$\d+\.\d\d\./,
    );
    expect(text).toContain(`List prices of us-east-1 in USD, ${PRICES.date}: https://aws.amazon.com/`);
    expect(text).toContain("Not counted: ");
    expect(text).not.toContain("price lists of its own");
    expect((await cli("list", "--env", "prod", "--cost", "--format", "md")).out).toMatch(
      /\| A MONTH \|[\s\S]+\n\nA month costs \$/,
    );
    const [json] = JSON.parse((await cli("list", "--env", "prod", "--cost", "--format", "json")).out);
    expect(json.cost).toMatchObject({ currency: "USD", date: PRICES.date, region: "us-east-1" });
    const [plain] = JSON.parse((await cli("list", "--env", "prod", "--format", "json")).out);
    expect(plain).not.toHaveProperty("cost");
    expect(plain.secrets[0]).not.toHaveProperty("cost");
    expect((await cli("list", "--env", "prod")).out).not.toContain("A MONTH");
  });
});
