/** Reports progress inside a step. Names and times only. */
export type Report = (detail: string) => void;

/** Shows a person what is being done. */
export interface Progress {
  /** Does a piece of work and shows that it is under way, done or failed. */
  step<T>(title: string, work: (report: Report) => Promise<T>): Promise<T>;
  /**
   * Shows several pieces of work that are done at once, each with steps of its own.
   *
   * @default as one step, which says how many are done and some of those under way
   */
  readonly together?: <T>(title: string, work: (progress: Progress) => Promise<T>) => Promise<T>;
}

/** Does several pieces of work at once, each with steps of its own, and shows them by a progress. */
export const together = <T>(
  progress: Progress,
  title: string,
  work: (progress: Progress) => Promise<T>,
): Promise<T> =>
  progress.together?.(title, work) ?? progress.step(title, (report) => work(stepsWithin(report)));

/** Titles beside each other that a line still shows. */
const SHOWN = 3;

/** Steps that are shown inside another one. */
function stepsWithin(report: Report): Progress {
  const underWay = new Map<object, string>();
  let done = 0;
  const show = (): void => {
    const titles = [...underWay.values()];
    const more = titles.length > SHOWN ? [`${titles.length - SHOWN} more`] : [];
    report([`${done} steps done`, ...titles.slice(0, SHOWN), ...more].join("; "));
  };
  return {
    async step(title, work) {
      const own = {};
      const say = (text: string): void => {
        underWay.set(own, text);
        show();
      };
      say(title);
      try {
        return await work((detail) => say(`${title}: ${detail}`));
      } finally {
        underWay.delete(own);
        done += 1;
        show();
      }
    },
  };
}
