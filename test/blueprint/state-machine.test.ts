import validate from "asl-validator";
import { stateMachineDefinition } from "../../lib/blueprint/state-machine";

const definition = stateMachineDefinition({
  partition: "aws",
  environment: "prod",
  checker: "acme-prod--checker",
  restarter: "acme-prod--restarter",
  recorder: "acme-prod--recorder",
  publicationsTable: "acme-prod-secret-publications",
  alarmTopicArn: "arn:aws:sns:eu-central-1:111122223333:acme-prod-secrets-alarms",
  approvalTopicArn: "arn:aws:sns:eu-central-1:111122223333:acme-prod-secrets-approvals",
  approvalSeconds: 259_200,
});

test("is valid by AWS's rules", () => {
  // The validator writes into what it is given.
  const { errors } = validate(structuredClone(definition));
  expect(errors).toEqual([]);
});
