export {
  evaluateAccess,
  matchesWildcard,
} from "./evaluate-access";
