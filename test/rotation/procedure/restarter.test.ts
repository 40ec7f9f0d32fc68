import { request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { STSClient } from "@aws-sdk/client-sts";
import type { RestarterSettings } from "../../../lib/contracts";
import { eksToken } from "../../../lib/rotation/adapters/eks-token";
import { kubernetesControllers } from "../../../lib/rotation/adapters/kubernetes-controllers";
import { restarterHandlerOf } from "../../../lib/rotation/entries/restarter-handler";
import { RESTARTED_FOR } from "../../../lib/rotation/procedure/restarter";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../../packages/rehearsal/src/servers";
import { KubernetesApi } from "../models/kubernetes-api";
import { silentLog, TestClock } from "../models/rehearsed-secret";

const TOKEN = "k8s-aws-v1.test";

describe.each(["Deployment", "StatefulSet", "DaemonSet", "Rollout"] as const)(
  "the restarter, against an API with a %s",
  (kind) => {
    let eu: KubernetesApi;
    let us: KubernetesApi;

    beforeEach(async () => {
      [eu, us] = [new KubernetesApi(), new KubernetesApi()];
      for (const api of [eu, us]) {
        await api.start();
        api.tokens.add(TOKEN);
        api.add("backend", "api", 3, kind);
        api.add("celery", "worker", 2, kind);
      }
    });

    afterEach(async () => {
      await Promise.all([eu.stop(), us.stop()]);
    });

    const handler = (
      token = TOKEN,
      caPem?: string,
      further?: RestarterSettings["workloads"][string]["further"],
    ) => {
      const clusters = [eu, us].map((api, index) => ({
        name: index === 0 ? "main-eu" : "main-us",
        region: "eu-central-1",
        apiServer: api.url,
        caPem: caPem ?? api.caPem,
      }));
      return restarterHandlerOf({
        settings: {
          registry: "acme",
          environment: "test",
          region: "eu-central-1",
          clusters,
          workloads: {
            backend: { namespace: "backend", kind, name: "api", ...(further ? { further } : {}) },
            celery: { namespace: "celery", kind, name: "worker" },
          },
        },
        clusters: clusters.map((cluster) => kubernetesControllers(cluster, async () => token)),
        clock: new TestClock(),
        log: silentLog,
      });
    };
    const event = { Workloads: ["backend", "celery"], Version: "v2" };
    const patches = (api: KubernetesApi) => api.seen.filter((line) => line.startsWith("PATCH"));

    test("restarts one after the other, and keeps what else is annotated", async () => {
      await expect(handler()(event)).resolves.toEqual({ restarted: ["backend", "celery"] });
      for (const api of [eu, us]) {
        expect(api.get("backend", "api")).toMatchObject({ updated: 3, old: 0, generation: 2 });
        expect(api.get("celery", "worker").annotations).toEqual({ team: "payments", [RESTARTED_FOR]: "v2" });
        // The second is touched when the first is done.
        const first = api.seen.findLastIndex((line) => line.endsWith("/api"));
        expect(api.seen.findIndex((line) => line.endsWith("/worker"))).toBeGreaterThan(first);
      }
    });

    test("restarts the further objects of a workload after its own, in the same namespace", async () => {
      for (const api of [eu, us]) api.add("backend", "worker", 2, "Deployment");
      const further = [{ kind: "Deployment", name: "worker" }] as const;
      await handler(TOKEN, undefined, further)({ ...event, Workloads: ["backend"] });
      for (const api of [eu, us]) {
        expect(patches(api).map((line) => line.split("/").at(-1))).toEqual(["api", "worker"]);
        expect(api.get("backend", "worker").annotations[RESTARTED_FOR]).toBe("v2");
        const first = api.seen.findLastIndex((line) => line.endsWith("/api"));
        expect(api.seen.findIndex((line) => line.endsWith("/worker"))).toBeGreaterThan(first);
      }
    });

    test("only waits when it is called again", async () => {
      await handler()(event);
      await handler()(event);
      expect([patches(eu), patches(us)].map((lines) => lines.length)).toEqual([2, 2]);
      expect(eu.get("backend", "api").generation).toBe(2);
    });

    test("waits for a slow rollout, and asks to be called again when its time is over", async () => {
      eu.behaviour = { looksPerPod: 20 };
      await expect(handler()(event)).resolves.toEqual({ restarted: ["backend", "celery"] });
      eu.behaviour = { looksPerPod: 100 };
      const again = { ...event, Version: "v3" };
      await expect(handler()(again)).rejects.toMatchObject({
        name: "RetryableRotationError",
        code: "target-busy",
      });
      // The same call goes on where the first one was.
      await handler()(again).catch(() => undefined);
      await expect(handler()(again)).rejects.toMatchObject({ code: "target-busy" });
      await expect(handler()(again)).resolves.toEqual({ restarted: ["backend", "celery"] });
      expect(eu.get("backend", "api").generation).toBe(3);
    }, 60_000);

    test("stops at the first workload whose pods do not start", async () => {
      eu.behaviour = { failsFor: "v2" };
      // Only a Deployment gives up by itself; for the others the time of the call is over.
      await expect(handler()(event)).rejects.toMatchObject(
        kind === "Deployment"
          ? {
              name: "RolloutFailed",
              message: "progress-deadline-exceeded: Deployment api in backend of cluster main-eu",
            }
          : { name: "RetryableRotationError", code: "target-busy" },
      );
      expect(us.seen).toEqual([]);
      expect(eu.get("celery", "worker").generation).toBe(1);
    });

    test.each([
      [
        "one that is not there",
        () => eu.add("elsewhere", "api", 1, kind),
        { answers: [404] },
        "RolloutFailed",
      ],
      ["a missing right", () => undefined, { answers: [403] }, "RolloutFailed"],
      ["a conflict", () => undefined, { answers: [409] }, "RetryableRotationError"],
      ["a busy server", () => undefined, { answers: [429] }, "RetryableRotationError"],
      ["a server that fails", () => undefined, { answers: [503] }, "RetryableRotationError"],
    ])("%s (%#)", async (_, prepare, behaviour, name) => {
      prepare();
      eu.behaviour = behaviour;
      await expect(handler()(event)).rejects.toMatchObject({ name });
      expect(us.seen).toEqual([]);
    });

    test("a token that is not taken and a foreign certificate fail", async () => {
      await expect(handler("k8s-aws-v1.other")(event)).rejects.toMatchObject({ name: "RolloutFailed" });
      await expect(handler(TOKEN, new KubernetesApi().caPem)(event)).rejects.toMatchObject({
        name: "RolloutFailed",
      });
      expect(patches(eu)).toEqual([]);
    });

    test("one that would not replace its pods by itself is refused before it is touched", async () => {
      const stored = eu.get("backend", "api");
      // A restart of a Rollout has no strategy.
      if (kind === "Rollout") return;
      if (kind === "Deployment") {
        stored.paused = true;
        await expect(handler()(event)).rejects.toMatchObject({
          message: "paused: Deployment api in backend of cluster main-eu",
        });
        return;
      }
      stored.strategy = { type: "OnDelete" };
      await expect(handler()(event)).rejects.toMatchObject({
        name: "RolloutFailed",
        message: expect.stringContaining("update strategy OnDelete, not RollingUpdate"),
      });
      stored.strategy = { type: "RollingUpdate", rollingUpdate: { partition: 2 } };
      await expect(handler()(event)).rejects.toMatchObject({
        name: "RolloutFailed",
        message: expect.stringContaining("keeps pods below partition 2"),
      });
      expect(patches(eu)).toEqual([]);
    });
  },
);

describe("the token of a cluster", () => {
  let group: ServerGroup;
  let aws: EmbeddedAws;

  beforeAll(async () => {
    group = ServerGroup.open();
    aws = await startEmbeddedAws({ group });
  }, 120_000);

  afterAll(() => group?.stop());

  /** Calls as a cluster does with a token: sends the request on, with the header of its own name. */
  const callOn = (url: URL, cluster: string): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      httpRequest(
        `${aws.endpoint}${url.pathname}${url.search}`,
        { headers: { host: url.host, "x-k8s-aws-id": cluster } },
        (answer) => {
          text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject);
        },
      )
        .on("error", reject)
        .end();
    });

  test("is a presigned request that tells who asks", async () => {
    const region = "eu-central-1";
    const root = { region, endpoint: aws.endpoint, credentials: aws.rootCredentials("111122223333") };
    const iam = new IAMClient(root);
    await iam.send(new CreateUserCommand({ UserName: "restarter" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "restarter" }));
    const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "" } = AccessKey ?? {};
    const sts = new STSClient({ region, credentials: { accessKeyId, secretAccessKey } });
    const token = await eksToken(sts, "eu-central-1", "main-eu", new Date());
    const [prefix, encoded = ""] = token.split(".");
    expect(prefix).toBe("k8s-aws-v1");
    expect(encoded).not.toMatch(/[=+/]/);
    const url = new URL(Buffer.from(encoded, "base64url").toString());
    expect(url.host).toBe("sts.eu-central-1.amazonaws.com");
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      Action: "GetCallerIdentity",
      "X-Amz-Expires": "60",
      "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
    });
    const answer = await callOn(url, "main-eu");
    expect(answer.status).toBe(200);
    expect(answer.body).toContain("arn:aws:iam::111122223333:user/restarter");
    // The header is signed: another cluster cannot use the token.
    expect((await callOn(url, "main-us")).status).toBe(403);
  });
});
