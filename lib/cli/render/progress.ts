import type { Progress, Report } from "../driver/progress";
import type { Terminal } from "../terminal/terminal";

/** Progress as a terminal can show it. */
export const progressOn = (terminal: Terminal): Progress =>
  terminal.live ? liveProgress(terminal.live) : plainProgress(terminal);

/** One line for every change: reads well in a log. */
export function plainProgress(terminal: Pick<Terminal, "err">): Progress {
  const line = (text: string): void => terminal.err(`${text}\n`);
  /** @param inFront text before a step's details */
  const steps = (inFront: (title: string) => string): Progress => ({
    async step(title, work) {
      line(`${title} …`);
      try {
        let last = "";
        const result = await work((detail) => {
          if (detail !== last) line(`${inFront(title)}${detail}`);
          last = detail;
        });
        line(`${title}: done`);
        return result;
      } catch (failure) {
        line(`${title}: failed`);
        throw failure;
      }
    },
    // Lines of several steps mix, so each says whose it is.
    together: (_, work) => work(steps((title) => `  ${title}: `)),
  });
  return steps(() => "  ");
}

/** A spinner for what is under way, and a line for what was. It keeps to NO_COLOR. */
function liveProgress(stream: NodeJS.WriteStream): Progress {
  return {
    async step<T>(title: string, work: (report: Report) => Promise<T>): Promise<T> {
      const { Listr, ListrLogger, ProcessOutput } = await import("listr2");
      // Standard output holds the result alone.
      const logger = new ListrLogger({ useIcons: false, processOutput: new ProcessOutput(stream, stream) });
      const outcome: T[] = [];
      const task = {
        title,
        task: async (_: unknown, shown: { output: string }) => {
          outcome.push(
            await work((detail) => {
              shown.output = detail;
            }),
          );
        },
      };
      await new Listr([task], {
        rendererOptions: { logger, collapseErrors: true, showErrorMessage: false },
        // The command is a process of its own: whoever interrupts it means all of it.
        registerSignalListeners: false,
      }).run();
      return outcome[0] as T;
    },
  };
}
