import { shellQuoted } from "../../model/shell-quoted";
import type { AgentFile } from "./agent-config";

/** File whose content differs at each start of an agent, so that its command runs at each start. */
const HOOK_FILE = ".agent-started";

/** Seconds between two looks at the files. */
const LOOK_SECONDS = 5;
/** Seconds that one try may take. */
const TRY_SECONDS = 30;

/** The agent's configuration is split at commas wherever it takes a list: there is none in what it runs. */
const withoutCommas = (quotedText: string): string => quotedText.replaceAll(",", `'"$c"'`);

/**
 * The agent's own way to run a command after a change runs it once: an application that does not answer just then has the
 * old value for good, and the agent ends (`exit_on_retry_failure`). The init container's agent runs it too, when there
 * is no application yet. So the author's command hangs on no secret's file, but on one that is new at each start of the agent
 * (`timestamp`), and a loop in the sidecar compares the files with a mark of those that the command has last succeeded for:
 * it tries until it succeeds, after a restart of the agent as well, and nobody waits for it or fails with it.
 *
 * The mark lies in the sidecar's own `/home/vault`, which lives as long as the pod. The init container's agent is known by its
 * configuration, which the injector writes to `/home/vault/config.json` (vault-k8s, `DefaultContainerArg`). Of two loops
 * the younger one stays; each ends with its agent. A command is ended after 30 seconds, as consul-template does.
 *
 * @param folder folder of the secrets
 * @param paths files below it
 */
export function reloadHook(command: string, folder: string, paths: readonly string[]): AgentFile {
  const script = [
    `h=/home/vault m=$h/.reloaded c=$(printf '\\054')`,
    `grep -q '"exit_after_auth":true' $h/config.json 2>/dev/null && exit 0`,
    "echo $$ >$m.by",
    `while [ "$(cat $m.by)" = $$ ] && kill -0 $PPID 2>/dev/null; do`,
    `n=$(cd ${folder} && cat ${[...paths].sort().join(" ")} 2>/dev/null | sha256sum)`,
    `[ "$n" = "$(cat $m 2>/dev/null)" ] || if timeout ${TRY_SECONDS} sh -c ${withoutCommas(shellQuoted(command))}; then echo "$n" >$m; else echo "reload failed; next try in ${LOOK_SECONDS} s"; fi`,
    `sleep ${LOOK_SECONDS}`,
    "done &",
  ];
  return {
    path: HOOK_FILE,
    template: '{{ timestamp "2006-01-02T15:04:05.000000000Z07:00" }}',
    mode: "0644",
    command: script.join("\n"),
  };
}
