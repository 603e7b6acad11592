import type { Given } from './actions.js';

/** A part of a world that has started. */
export interface Made<T> {
  part: T;
  /** What it has for the actions. */
  inputs?: Given;
  close?(): Promise<void>;
}

/** A part that another one stands on. */
export function needed<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('a part of the world is missing that another one stands on');
  return part;
}
