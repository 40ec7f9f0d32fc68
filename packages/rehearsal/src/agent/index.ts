export { type AgentProcess, startAgent } from "./agent-process";
export {
  type InjectedAgent,
  InjectionError,
  injectedAgent,
} from "./injected-agent";
