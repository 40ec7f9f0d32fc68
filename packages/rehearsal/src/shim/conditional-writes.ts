import type { PolicyDocument } from "../../../../lib/model";
import { evaluateAccess } from "../evaluator";
import { parameterText } from "./aws-call";
import { type Exchange, type Handler, refuse } from "./exchange";
import { resourceArn } from "./resource-arn";
import { jsonOf, type WireAnswer } from "./wire";
import { type WrittenStatement, withLists } from "./written-policy";

/** The condition key that the embedded AWS does not know. */
const KEY = "s3:if-none-match";

/** A bucket's policy, of which the embedded AWS has only what it can judge. */
interface DividedPolicy {
  readonly text: string;
  /** Statements about the key. */
  readonly apart: PolicyDocument;
}

/**
 * Policies of buckets that insist on `If-None-Match`. The statements about it are not shown to the embedded AWS, which would
 * deny every write by them, and are judged here.
 */
export class ConditionalWrites {
  readonly #policies = new Map<string, DividedPolicy>();

  handlers(): Readonly<Record<string, Handler>> {
    return {
      PutBucketPolicy: (exchange) => this.#put(exchange),
      GetBucketPolicy: (exchange) => this.#get(exchange),
      DeleteBucketPolicy: (exchange) => this.#forget(exchange),
      DeleteBucket: (exchange) => this.#forget(exchange),
      PutObject: (exchange) => this.#write(exchange),
    };
  }

  async #put(exchange: Exchange): Promise<WireAnswer> {
    const text = parameterText(exchange.call, "Policy") ?? "";
    const { Statement = [], ...rest } = jsonOf(Buffer.from(text));
    const statements = [Statement].flat() as readonly WrittenStatement[];
    const apart = statements.filter(isAboutKey);
    if (apart.length === 0) return this.#forget(exchange);
    const known = statements.filter((statement) => !isAboutKey(statement));
    const answer = await exchange.forward({ ...rest, Statement: known });
    if (answer.status < 300) {
      this.#policies.set(bucketOf(exchange), {
        text,
        apart: { Version: "2012-10-17", Statement: apart.map(withLists) },
      });
    }
    return answer;
  }

  async #get(exchange: Exchange): Promise<WireAnswer> {
    const answer = await exchange.forward();
    const policy = this.#policies.get(bucketOf(exchange));
    if (answer.status !== 200 || policy === undefined) return answer;
    return { ...answer, body: Buffer.from(policy.text) };
  }

  async #forget(exchange: Exchange): Promise<WireAnswer> {
    const answer = await exchange.forward();
    if (answer.status < 300) this.#policies.delete(bucketOf(exchange));
    return answer;
  }

  async #write(exchange: Exchange): Promise<WireAnswer> {
    const { call, caller, account, upstream } = exchange;
    const policy = this.#policies.get(bucketOf(exchange));
    if (policy === undefined) return exchange.forward();
    const resource = await resourceArn(call, account, upstream);
    const principal = caller?.principal ?? "";
    const ifNoneMatch = parameterText(call, "IfNoneMatch");
    const context = ifNoneMatch === undefined ? {} : { [KEY]: ifNoneMatch };
    const request = { action: call.action, resource, principal, context };
    const { because } = evaluateAccess(request, { identity: [], resource: policy.apart });
    if (because !== "explicit-deny") return exchange.forward();
    return refuse(exchange, {
      code: "AccessDenied",
      message: `User: ${principal} is not authorized to perform: ${call.action} on resource: "${resource}" with an explicit deny in a resource-based policy`,
      status: 403,
    });
  }
}

const bucketOf = ({ call }: Exchange): string => parameterText(call, "Bucket") ?? "";

/** `true` when nothing but the key decides where a statement applies. */
const isAboutKey = ({ Condition = {} }: WrittenStatement): boolean => {
  const keys = Object.values(Condition).flatMap(Object.keys);
  return keys.length > 0 && keys.every((key) => key === KEY);
};
