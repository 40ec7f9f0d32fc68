import { days, defineRegistry, hours, minutes } from "../../lib/model";
import { draft } from "./sample";

test.each([
  ["without webhooks", undefined, { overlap: hours(8), publishLead: { seconds: 0 } }],
  [
    "with webhooks",
    "https://shop.example.com/stripe",
    { overlap: { seconds: hours(8).seconds + days(3).seconds + minutes(5).seconds }, publishLead: hours(7) },
  ],
])("Stripe %s: its webhook secrets are published before they are used", (_name, webhookUrl, waits) => {
  const definition = draft();
  definition.secrets["payments/stripe"].settings = webhookUrl === undefined ? {} : { webhookUrl };
  const secret = defineRegistry(definition)
    .secretsIn("prod")
    .find(({ key }) => key === "payments/stripe");
  expect(secret).toMatchObject({ acceptedBy: "target", ...waits });
});
