export {
  type AccessDecision,
  type AccessPolicies,
  type AccessRequest,
  evaluateAccess,
  matchesWildcard,
  UnknownPolicyGrammarError,
} from "./evaluate-access";
