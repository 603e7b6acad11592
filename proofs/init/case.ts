import type { Spot } from './world.js';

/** How init is called in a repository that was made. */
export interface Call {
  /** Root of the repository, to whose workflows it must write. */
  root: string;
  cwd?: string;
  args?: string[];
  env?: Readonly<Record<string, string>>;
  /** The clone of mcprt that it is run from; the usual one when left out. */
  home?: string;
  /** Calls before this one, from the same place, and what happens then. */
  before?: { args: string[]; change: () => Promise<void> };
}

/** A repository as somebody may have it, and what init must make of it. */
export interface Case {
  name: string;
  quick?: boolean;
  make(spot: Spot, homes: Homes): Promise<Call>;
  /** Code by which it must refuse, with nothing written. */
  refuses?: string;
  /** What it must say. */
  says?: readonly string[];
  /** What it must not say. */
  hides?: readonly string[];
  host?: string;
  /** What else must hold afterwards. @returns what is wrong; empty where nothing is */
  check?(call: Call): Promise<string>;
}

/** Clones of mcprt, by what is odd about them. */
export interface Homes {
  usual: string;
  fork: string;
  untagged: string;
}
