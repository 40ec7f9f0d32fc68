export { type AgentProcess, startAgent } from "./agent-process";
export {
  type InjectablePod,
  type InjectedAgent,
  type InjectedAgentSettings,
  InjectionError,
  injectedAgent,
} from "./injected-agent";
