/** Tells what goes on now, inside a step. Names and times only. */
export type Tell = (detail: string) => void;

/** Shows a person what is being done. */
export interface Progress {
  /** Does a piece of work and shows that it is under way, done or failed. */
  step<T>(title: string, work: (tell: Tell) => Promise<T>): Promise<T>;
}
