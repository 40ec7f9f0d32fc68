import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { TerraformStack } from "cdktf";
// The engine does not list it in its index, but its own assets write their files by it.
import { addCustomSynthesis } from "cdktf/lib/synthesize/synthesizer";
import { Construct } from "constructs";
import type { FunctionPlan } from "../../blueprint";
import { functionZip } from "../../bundles";
import { hideIdsBelow, setAddress } from "../address";
import { literalText } from "../literal-text";
import { ExclusiveRole } from "./exclusive-role";

/** Runtime of all functions. */
const RUNTIME = { runtime: "nodejs24.x", architectures: ["arm64"], handler: "index.handler" };

/** Input of {@link RegistryFunction}. */
export interface RegistryFunctionProps {
  /** The function as the blueprint has it: one of `blueprint(registry, "prod").functions`. */
  readonly plan: FunctionPlan;
  readonly region: string;
  /** Key of its log group. @default CloudWatch's own */
  readonly keyArn?: string;
  /** Queue of events that it could not take. @default none: whoever calls it keeps them */
  readonly deadLetterArn?: string;
  /** ARN of the configuration that says who may have signed its code. @default Lambda does not ask */
  readonly codeSigningConfigArn?: string;
  /** Folder of the bundles. @default `dist/functions` of this package */
  readonly bundles?: string;
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * A Lambda function of the registry with its role and its log group. Its code is written beside the stack at synth
 * (`functions/<name>.zip`): the bundle of this package and a `settings.json` with names, never a value.
 */
export class RegistryFunction extends Construct {
  readonly function: LambdaFunction;

  constructor(
    scope: Construct,
    id: string,
    { plan, region, keyArn, deadLetterArn, codeSigningConfigArn, bundles, provider }: RegistryFunctionProps,
  ) {
    super(scope, id);
    hideIdsBelow(this);
    const common = { ...(provider ? { provider } : {}) };
    const role = new ExclusiveRole(this, "role", {
      ...common,
      plan: plan.role,
      word: plan.word,
      description: plan.description,
      rights: `what ${plan.name} does`,
    });
    const logGroup = setAddress(
      this,
      new CloudwatchLogGroup(this, "log", {
        ...common,
        region,
        name: plan.logGroup,
        retentionInDays: plan.logRetentionDays,
        ...(keyArn === undefined ? {} : { kmsKeyId: keyArn }),
        tags: { ...plan.tags },
      }),
      plan.word,
    );
    const file = `functions/${plan.name}.zip`;
    const { bytes, sourceCodeHash } = functionZip(plan.bundle, plan.settings, bundles);
    addCustomSynthesis(this, {
      onSynthesize: ({ outdir, manifest }) => {
        const path = join(outdir, manifest.forStack(TerraformStack.of(this)).workingDirectory, file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, bytes);
      },
    });
    this.function = setAddress(
      this,
      new LambdaFunction(this, "function", {
        ...common,
        ...RUNTIME,
        region,
        functionName: plan.name,
        description: literalText(plan.description),
        role: role.arn,
        filename: `\${path.module}/${file}`,
        // What a pipeline signs in the same place is another file than the one of the synth.
        sourceCodeHash:
          codeSigningConfigArn === undefined
            ? sourceCodeHash
            : `\${filebase64sha256("\${path.module}/${file}")}`,
        ...(codeSigningConfigArn === undefined ? {} : { codeSigningConfigArn }),
        timeout: plan.timeoutSeconds,
        memorySize: plan.memoryMb,
        loggingConfig: { logFormat: "JSON", logGroup: logGroup.name },
        ...(deadLetterArn === undefined ? {} : { deadLetterConfig: { targetArn: deadLetterArn } }),
        ...(plan.network
          ? {
              vpcConfig: {
                subnetIds: [...plan.network.subnets],
                securityGroupIds: [...plan.network.securityGroups],
              },
            }
          : {}),
        tags: { ...plan.tags },
        // Lambda checks the queue, and makes network interfaces, with the role's rights.
        dependsOn: [...role.policies],
      }),
      plan.word,
    );
  }
}
