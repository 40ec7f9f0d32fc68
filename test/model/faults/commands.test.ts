import { type Draft, draft } from "../sample";
import { faultsOf } from "./fault-case";

/** Commands after changes, as `sh` reads them. */

const withCommand = (command: string): Draft => {
  const definition = draft();
  definition.workloads.backend.reload = { how: "command", command };
  return definition;
};

test.each([
  "wget -qO- 'http://localhost/reload",
  'kill -HUP $(cat "/run/app.pid"',
  "if true; then kill -HUP 1",
  "kill -HUP 1 )",
  "kill -HUP 1 &&",
])("%s is a fault, in the words of sh, and is not run", (command) => {
  expect(faultsOf(withCommand(command))).toEqual([
    {
      path: "workloads.backend.reload.command",
      found: expect.stringMatching(/, of which sh says: \S.*/),
      allowed: "a command that sh can read",
      change: "close its quotes and blocks; sh -n -c '…' tries it without running it",
    },
  ]);
});

test.each([
  "kill -HUP 1",
  'wget -qO- "http://localhost/?a=1,2&b=<3>"',
  "test -e /run/app.pid && kill -HUP $(cat /run/app.pid)",
  "exit 1",
])("%s is taken", (command) => {
  expect(faultsOf(withCommand(command))).toEqual([]);
});
