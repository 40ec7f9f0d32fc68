/** An IAM policy, trust policy, key policy or resource policy as plain data: never a token inside. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

/** One statement. Actions, resources and condition values are always lists, so that readers need one case only. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: "*" | Readonly<Record<string, string>>;
  readonly Action: readonly string[];
  readonly Resource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** A policy of these statements. */
export const policyDocument = (...Statement: readonly PolicyStatement[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement,
});

/** Length as AWS counts it: without white space outside of texts. */
export const compactLength = (document: object): number => JSON.stringify(document).length;
