/** Work that is done again and again, by one process of all that share a store. */
export interface Job {
  /** Unique among jobs; what the store keeps others away by. */
  name: string;
  /** Milliseconds between the end of one run and the next. */
  everyMs: number;
  /** Must end soon after the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}
