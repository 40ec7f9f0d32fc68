import { readFileSync } from "node:fs";
import { join } from "node:path";
import { confirmEmergency, emergencyNotice } from "../../lib/cli/verbs/emergency";
import { findSecret } from "../../lib/cli/verbs/find-secret";
import { registry } from "../../registry";
import { FakeTerminal } from "./fake-terminal";
import { cli } from "./run-cli";

const KEY = "db/app-primary";
const found = findSecret(registry, "prod", KEY);

describe("what an emergency says", () => {
  test("names each workload that reads the secret, and until when it fails", () => {
    const notice = emergencyNotice(found);
    const readers = found.plan.workloads.filter(({ secrets }) => secrets.includes(KEY));
    expect(readers.length).toBeGreaterThan(1);
    for (const { name, reload } of readers) {
      expect(notice).toMatch(
        new RegExp(
          `^  ${name}: ${reload.how === "redeploy" ? "it is restarted" : "until its pods refresh"}`,
          "m",
        ),
      );
    }
    for (const { name, secrets } of found.plan.workloads) {
      if (!secrets.includes(KEY)) expect(notice).not.toContain(`  ${name}:`);
    }
  });

  test.each([
    ["jwt/signing", "holders of the two values refuse each other"],
    ["storage/s3-app", "live on for up to 36 hours"],
    ["payments/paypal", "What only you can end"],
  ])("of %s: %s", (key, words) => {
    expect(emergencyNotice(findSecret(registry, "prod", key))).toContain(words);
  });

  test("of a key points to the command that ends its sessions, which stands where it says", () => {
    const notice = emergencyNotice(findSecret(registry, "prod", "storage/s3-app"));
    const [page = ""] = /docs\/adr\/[\w-]+\.md/.exec(notice) ?? [];
    const text = readFileSync(join(__dirname, "../..", page), "utf8");
    expect(text).toContain("aws iam put-user-policy --user-name <user>");
    expect(text).toContain("aws:TokenIssueTime");
  });
});

describe("an emergency is meant", () => {
  test("when the secret's key is typed", async () => {
    const terminal = new FakeTerminal({ answers: [` ${KEY} `] });
    await confirmEmergency(found, {}, terminal);
    expect(terminal.asked).toEqual([{ question: `Type ${KEY} to go on: `, hidden: false }]);
    expect(terminal.told).toContain(`Emergency: ${KEY} in prod`);
  });

  test.each(["y", "yes", "db/reporting-ro", ""])("and not when %j is", async (answer) => {
    const terminal = new FakeTerminal({ answers: [answer] });
    await expect(confirmEmergency(found, {}, terminal)).rejects.toThrow("nothing was changed");
  });

  test("without a terminal only by --yes", async () => {
    await expect(confirmEmergency(found, {}, new FakeTerminal())).rejects.toThrow("Add --yes");
    const terminal = new FakeTerminal();
    await confirmEmergency(found, { yes: true }, terminal);
    expect([terminal.asked, terminal.told === ""]).toEqual([[], false]);
  });
});

test("the help says what an emergency does, with an example", async () => {
  const { out } = await cli("rotate", "--help");
  expect(out).toMatch(/secrets-registry rotate db\/app-primary .* --emergency/);
  expect(out).toContain("--yes");
});
