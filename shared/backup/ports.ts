import type { Store } from './stores/store.js';

/** What an operation on backups needs from outside. */
export interface Ports {
  stores: Store[];
  /** One line for the log, for people who wait. */
  progress: (line: string) => void;
  warn: (line: string) => void;
  signal: AbortSignal;
  /** Called with every secret leaf that was read, before it is used. */
  mask: (secret: string) => void;
}
