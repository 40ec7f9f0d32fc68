import { jsonOf, protocolOf, type WireProtocol, type WireRequest } from "./wire";

/** One call of AWS, read from a request. */
export interface AwsCall {
  /** Prefix of IAM's actions: `secretsmanager`. */
  readonly service: string;
  /** As IAM names it, without the prefix: `GetSecretValue`. */
  readonly operation: string;
  /** `secretsmanager:GetSecretValue`. */
  readonly action: string;
  /** Region that the request is signed for. */
  readonly region: string;
  /** Absent in unsigned requests (`AssumeRoleWithWebIdentity`). */
  readonly accessKeyId: string | undefined;
  /** Parameters, from JSON or form fields. Secret values are among them: for the shim's eyes only. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly protocol: WireProtocol;
}

/** Names in the credential scope that differ from IAM's prefix. */
const IAM_PREFIX: Readonly<Record<string, string>> = { monitoring: "cloudwatch" };

const OPERATION_OF_LAMBDA: readonly (readonly [method: string, path: RegExp, operation: string])[] = [
  ["POST", /^\/[\d-]+\/functions$/, "CreateFunction"],
  ["GET", /^\/[\d-]+\/functions$/, "ListFunctions"],
  ["POST", /^\/[\d-]+\/functions\/([^/]+)\/invocations$/, "InvokeFunction"],
  ["GET", /^\/[\d-]+\/functions\/([^/]+)$/, "GetFunction"],
  ["DELETE", /^\/[\d-]+\/functions\/([^/]+)$/, "DeleteFunction"],
  ["GET", /^\/[\d-]+\/functions\/([^/]+)\/configuration$/, "GetFunctionConfiguration"],
  ["PUT", /^\/[\d-]+\/functions\/([^/]+)\/configuration$/, "UpdateFunctionConfiguration"],
  ["PUT", /^\/[\d-]+\/functions\/([^/]+)\/code$/, "UpdateFunctionCode"],
  ["POST", /^\/[\d-]+\/functions\/([^/]+)\/versions$/, "PublishVersion"],
  ["GET", /^\/[\d-]+\/functions\/([^/]+)\/policy$/, "GetPolicy"],
  ["POST", /^\/[\d-]+\/functions\/([^/]+)\/policy$/, "AddPermission"],
  ["DELETE", /^\/[\d-]+\/functions\/([^/]+)\/policy\/[^/]+$/, "RemovePermission"],
  ["POST", /^\/[\d-]+\/event-source-mappings\/?$/, "CreateEventSourceMapping"],
];

/**
 * Calls that IAM judges by another one's right.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
 */
const ACTION_OF: Readonly<Record<string, string>> = { "sqs:SendMessageBatch": "sqs:SendMessage" };

const OPERATION_OF_SCHEDULER: Readonly<Record<string, string>> = {
  GET: "GetSchedule",
  POST: "CreateSchedule",
  PUT: "UpdateSchedule",
  DELETE: "DeleteSchedule",
};

/** S3 Control's tags of a bucket, by method. */
const OPERATION_OF_TAGS: Readonly<Record<string, string>> = {
  GET: "ListTagsForResource",
  POST: "TagResource",
  DELETE: "UntagResource",
};

/** By method and subresource. */
const OPERATION_OF_BUCKET: Readonly<Record<string, string>> = {
  PUT: "CreateBucket",
  DELETE: "DeleteBucket",
  "GET policy": "GetBucketPolicy",
  "PUT policy": "PutBucketPolicy",
  "DELETE policy": "DeleteBucketPolicy",
};

const OPERATION_OF_OBJECT: Readonly<Record<string, string>> = {
  GET: "GetObject",
  HEAD: "GetObject",
  PUT: "PutObject",
  POST: "PutObject",
  DELETE: "DeleteObject",
};

/** Parts of an object that have rights of their own. */
const PART_OF_OBJECT: Readonly<Record<string, string>> = {
  acl: "Acl",
  "legal-hold": "LegalHold",
  retention: "Retention",
  tagging: "Tagging",
};

/** Understands a request as far as recording, rules and faults need it. */
export function parseCall(request: WireRequest): AwsCall {
  const scope = /Credential=([^/,]+)\/\d+\/([^/]+)\/([^/]+)\/aws4_request/.exec(
    request.headers.authorization ?? "",
  );
  const [, accessKeyId, region = "", scopeName] = scope ?? [];
  const protocol = protocolOf(request, scopeName);
  // What nobody signs is one of the two web identity calls of STS.
  const service = IAM_PREFIX[scopeName ?? ""] ?? scopeName ?? "sts";
  const { operation, parameters } = read(request, protocol, service);
  return {
    service,
    operation,
    action: ACTION_OF[`${service}:${operation}`] ?? `${service}:${operation}`,
    region,
    accessKeyId,
    parameters,
    protocol,
  };
}

interface Reading {
  readonly operation: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

function read(request: WireRequest, protocol: WireProtocol, service: string): Reading {
  const [path = "/", query = ""] = request.url.split("?");
  switch (protocol) {
    case "json":
      return {
        operation: String(request.headers["x-amz-target"]).split(".").at(-1) ?? "",
        parameters: jsonOf(request.body),
      };
    case "query": {
      const fields = Object.fromEntries([
        ...new URLSearchParams(query),
        ...new URLSearchParams(request.body.toString("utf8")),
      ]);
      return { operation: fields.Action ?? "", parameters: fields };
    }
    case "rest-xml":
      return readS3(request, path, query);
    case "rest-json":
      return readPath(request, path, service);
  }
}

function readPath(request: WireRequest, path: string, service: string): Reading {
  // Smithy's RPC protocol has the operation in its path.
  const rpc = /\/service\/[^/]+\/operation\/([^/]+)$/.exec(path)?.[1];
  if (rpc !== undefined) return { operation: rpc, parameters: jsonOf(request.body) };
  if (service === "lambda") {
    for (const [method, pattern, operation] of OPERATION_OF_LAMBDA) {
      const match = method === request.method ? pattern.exec(path) : null;
      if (!match) continue;
      const named = match[1] === undefined ? {} : { FunctionName: decodeURIComponent(match[1]) };
      // An invocation's body is the function's payload, not a parameter.
      return {
        operation,
        parameters: operation === "InvokeFunction" ? named : { ...jsonOf(request.body), ...named },
      };
    }
  }
  const schedule = /^\/schedules(?:\/([^/]+))?$/.exec(path);
  if (service === "scheduler" && schedule) {
    const Name = schedule[1];
    return {
      operation: Name === undefined ? "ListSchedules" : (OPERATION_OF_SCHEDULER[request.method] ?? ""),
      parameters: { ...jsonOf(request.body), ...(Name === undefined ? {} : { Name }) },
    };
  }
  return { operation: `${request.method} ${path}`, parameters: {} };
}

function readS3({ method, headers, body }: WireRequest, path: string, query: string): Reading {
  const tagged = /^\/v20180820\/tags\/(.+)$/.exec(path)?.[1];
  if (tagged !== undefined) {
    const Bucket = decodeURIComponent(tagged).replace(/^arn:[^:]+:s3:::/, "");
    return { operation: OPERATION_OF_TAGS[method] ?? method, parameters: { Bucket } };
  }
  const [bucket = "", ...rest] = path.slice(1).split("/");
  const key = decodeURIComponent(rest.join("/"));
  const subresource = query.split(/[&=]/)[0] ?? "";
  if (key !== "")
    return readObject(method, subresource, { Bucket: bucket, Key: key }, headers["if-none-match"]);
  const parameters = { Bucket: bucket };
  if (method === "GET" && (query === "" || query.includes("list-type")))
    return { operation: "ListBucket", parameters };
  const named = `${method} ${subresource}`.trim();
  const operation = OPERATION_OF_BUCKET[named] ?? named;
  return {
    operation,
    parameters:
      operation === "PutBucketPolicy" ? { ...parameters, Policy: body.toString("utf8") } : parameters,
  };
}

function readObject(
  method: string,
  subresource: string,
  object: Readonly<Record<string, string>>,
  IfNoneMatch: string | undefined,
): Reading {
  const operation = OPERATION_OF_OBJECT[method] ?? method;
  const part = PART_OF_OBJECT[subresource] ?? "";
  return {
    operation: `${operation}${part}`,
    parameters: IfNoneMatch === undefined ? object : { ...object, IfNoneMatch },
  };
}

/** A parameter that is a text. */
export function parameterText(call: Pick<AwsCall, "parameters">, name: string): string | undefined {
  const value = call.parameters[name];
  return typeof value === "string" ? value : undefined;
}

/** Regions in which a call of Secrets Manager asks for replicas. */
export function replicaRegionsOf({ parameters }: Pick<AwsCall, "parameters">): readonly string[] {
  const { AddReplicaRegions: added } = parameters;
  return (Array.isArray(added) ? added : []).flatMap(({ Region }) =>
    typeof Region === "string" ? [Region] : [],
  );
}
