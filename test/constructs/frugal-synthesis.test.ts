import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { SecretsmanagerSecret } from "@cdktf/provider-aws/lib/secretsmanager-secret";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { Vpc } from "@cdktf/provider-aws/lib/vpc";
import {
  App,
  Aspects,
  Fn,
  Lazy,
  TerraformIterator,
  TerraformOutput,
  TerraformStack,
  TerraformVariable,
  Testing,
  Tokenization,
} from "cdktf";
import type { IConstruct } from "constructs";
import { SecretsRegistry } from "../../lib/constructs";
import { synthesizeFrugally, withoutTokenTraces } from "../../lib/constructs/frugal-synthesis";
import { defineRegistry } from "../../lib/model";
import { SecretsStack } from "../../stacks";
import { draft } from "../model/sample";

/** Everything that an app writes, with or without the shortcut. */
function written(make: (app: App) => readonly TerraformStack[], frugal: boolean): Record<string, unknown> {
  const outdir = mkdtempSync(join(tmpdir(), "synth-"));
  try {
    const app = new App({ outdir });
    const stacks = make(app);
    if (frugal) for (const stack of stacks) synthesizeFrugally(stack);
    app.synth();
    return Object.fromEntries(
      stacks.map(({ node }) => [
        node.id,
        readFileSync(join(outdir, "stacks", node.id, "cdk.tf.json"), "utf8"),
      ]),
    );
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

const stackWith = (fill: (stack: TerraformStack) => void) => (app: App) => {
  const stack = new TerraformStack(app, "own");
  new AwsProvider(stack, "aws", { region: "eu-central-1" });
  fill(stack);
  return [stack];
};

/** Of what the engine resolves, each kind. */
const APPS: Readonly<Record<string, (app: App) => readonly TerraformStack[]>> = {
  "plain data, with what is undefined, null and empty": stackWith((stack) => {
    const secret = new SecretsmanagerSecret(stack, "a", {
      name: "a",
      tags: {},
      replica: [],
    });
    secret.addOverride("extra", {
      list: [],
      nothing: null,
      inner: { none: undefined, yes: false, zero: 0, minus: -7.5 },
    });
  }),
  "text that looks like a token or an expression": stackWith((stack) => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: Terraform's own
    new SecretsmanagerSecret(stack, "a", {
      name: "$${x} %%{y} TfToken[1] }{ 1e+300 -1.9e+289 e+",
      description: "${var.x}",
    });
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: Terraform's own
  }),
  "references, joined with text and as names": stackWith((stack) => {
    const a = new SecretsmanagerSecret(stack, "a", { name: "a" });
    new SnsTopic(stack, "b", { name: `${a.name}-${a.id}`, tags: { [a.name]: a.arn, plain: "x" } });
    new TerraformOutput(stack, "out", { value: { arn: a.arn, all: [a.id, "x"] } });
  }),
  "tokens as numbers, lists and maps": stackWith((stack) => {
    const vpc = new Vpc(stack, "vpc", { cidrBlock: "10.0.0.0/16" });
    const count = new TerraformVariable(stack, "count", { type: "number" });
    const names = new TerraformVariable(stack, "names", { type: "list(string)" });
    new SecretsmanagerSecret(stack, "a", {
      recoveryWindowInDays: count.numberValue,
      tags: vpc.tagsAll as never,
    });
    new TerraformOutput(stack, "out", { value: { names: names.listValue, text: `n${count.numberValue}` } });
    new TerraformOutput(stack, "numbers", { value: vpc.getNumberListAttribute("sizes") });
  }),
  "functions, lazy values, iterators": stackWith((stack) => {
    const names = new TerraformVariable(stack, "names", { type: "list(string)" });
    const each = TerraformIterator.fromList(names.listValue);
    new SecretsmanagerSecret(stack, "a", { forEach: each, name: Fn.join("-", ["a", each.value]) });
    new SnsTopic(stack, "b", {
      name: Lazy.stringValue({ produce: () => "late" }),
      tags: Fn.merge([{ a: "b" }]) as never,
    });
  }),
  "a reference to another stack, which the preparation turns into an output and a data source": (app) => {
    const one = new TerraformStack(app, "one");
    new AwsProvider(one, "aws", { region: "eu-central-1" });
    const secret = new SecretsmanagerSecret(one, "a", { name: "a" });
    const other = new TerraformStack(app, "other");
    new AwsProvider(other, "aws", { region: "eu-central-1" });
    new SnsTopic(other, "b", {
      name: "b",
      tags: { secret: secret.arn, again: secret.arn, id: `x-${secret.id}` },
    });
    return [one, other];
  },
  "an Aspect that adds to what is there and one that adds what was not": (app) => {
    const [stack] = stackWith((own) => {
      for (const id of ["a", "b"]) new SecretsmanagerSecret(own, id, { name: id, tags: { id } });
      new S3Bucket(own, "bucket", {});
    })(app);
    if (!stack) throw new Error("a stack was made");
    Aspects.of(stack).add({
      visit: (node: IConstruct) => {
        if (node instanceof SecretsmanagerSecret) node.tags = { ...node.tagsInput, team: "platform" };
        if (node instanceof S3Bucket) node.addOverride("bucket", "named");
      },
    });
    return [stack];
  },
  "a subclass that has its own toTerraform and prepareStack": (app) => {
    class Own extends TerraformStack {
      override prepareStack(): void {
        new SnsTopic(this, "late", { name: "made by the preparation" });
        super.prepareStack();
      }
      override toTerraform(): unknown {
        const written = super.toTerraform() as Record<string, object>;
        return { ...written, locals: { added: "yes" } };
      }
    }
    const stack = new Own(app, "own");
    new AwsProvider(stack, "aws", { region: "eu-central-1" });
    new SecretsmanagerSecret(stack, "a", { name: "a" });
    return [stack];
  },
};

test.each(Object.entries(APPS))("the same bytes as the engine's own: %s", (_, make) => {
  const own = written(make, false);
  expect(written(make, true)).toEqual(own);
});

const registry = defineRegistry(draft());

test("an Aspect reaches every secret of a registry, in a stack of ours and in somebody else's", () => {
  const tag = {
    visit: (node: IConstruct) => {
      if (node instanceof SecretsmanagerSecret) node.tags = { ...node.tagsInput, cost: "platform" };
    },
  };
  const tagged = (stack: TerraformStack): boolean[] => {
    const text = Testing.synth(stack);
    const { resource } = JSON.parse(text) as {
      resource: { aws_secretsmanager_secret: Record<string, { tags: Record<string, string> }> };
    };
    return Object.values(resource.aws_secretsmanager_secret).map(({ tags }) => tags.cost === "platform");
  };
  const ours = new SecretsStack(Testing.app(), "prod", { registry, environment: "prod" as never });
  Aspects.of(ours).add(tag);
  const foreign = new TerraformStack(Testing.app(), "theirs");
  new AwsProvider(foreign, "aws", { region: "eu-central-1" });
  new SecretsRegistry(foreign, "secrets", {
    registry,
    environment: "prod" as never,
    parts: { vaults: [], clusters: [] },
  });
  Aspects.of(foreign).add(tag);
  for (const flags of [tagged(ours), tagged(foreign)]) {
    expect(flags.length).toBeGreaterThan(2);
    expect(flags).not.toContain(false);
  }
});

test("the functions of the engine and of Node are what they were, after a synth and after a fault", () => {
  const { captureStackTrace } = Error;
  const stack = new TerraformStack(Testing.app(), "own");
  new SecretsmanagerSecret(stack, "a", { name: { resolve: () => fail() } as never });
  synthesizeFrugally(stack);
  const { resolve } = Tokenization;
  expect(() => stack.toTerraform()).toThrow("refused");
  expect(Error.captureStackTrace).toBe(captureStackTrace);
  expect(Tokenization.resolve).toBe(resolve);
  const after = new TerraformStack(Testing.app(), "after");
  const secret = new SecretsmanagerSecret(after, "a", { name: "a" });
  new SnsTopic(after, "b", { name: secret.arn });
  expect(Testing.synth(after)).toContain("aws_secretsmanager_secret.a.arn");
});

function fail(): never {
  throw new Error("refused");
}

test("errors keep their stack where tokens have none, and tokens have theirs where somebody asks for it", () => {
  class Refused extends Error {
    constructor() {
      super("refused");
      Error.captureStackTrace(this, Refused);
    }
  }
  const made = () =>
    withoutTokenTraces(() => ({ error: new Refused(), token: Lazy.anyValue({ produce: () => 1 }) }));
  const { error, token } = made();
  expect(error.stack).toContain("frugal-synthesis.test");
  expect(token.creationStack).toEqual([]);
  process.env.SECRETS_REGISTRY_TOKEN_TRACES = "1";
  try {
    expect(made().token.creationStack.join()).toContain("frugal-synthesis.test");
  } finally {
    delete process.env.SECRETS_REGISTRY_TOKEN_TRACES;
  }
});
