/** What every operation needs from outside. */
export interface OperationPorts {
  /** One line for the log, for people who wait. */
  progress: (line: string) => void;
  warn: (line: string) => void;
  /** Ends with the job, or when the operation takes longer than it may. */
  signal: AbortSignal;
  /** Called with every secret leaf that was read, before it is used. */
  mask: (secret: string) => void;
}
