import { registry } from "../../registry";
import { commandPage } from "./command-page";
import { errorCodesPage } from "./error-codes-page";
import { eventsPage } from "./events-page";
import { kindsPage } from "./kinds-page";
import { registryPage } from "./registry-page";

/** Pages that are made from the code: path in the repository, and text. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["docs/reference/cli.md", await commandPage()],
    ["docs/reference/error-codes.md", errorCodesPage()],
    ["docs/reference/events-and-alarms.md", eventsPage(registry, "prod")],
    ["docs/reference/kinds.md", kindsPage()],
    ["docs/reference/registry.md", registryPage()],
  ]);
}
