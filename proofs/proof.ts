import type { LabState } from '../lab/driver/lab.js';

/** What a proof runs with. */
export interface ProofContext {
  /** A fresh lab for this proof alone; it is taken down afterwards. @param more variables besides the proof's own */
  lab(more?: NodeJS.ProcessEnv): Promise<LabState>;
  /** Folder for what the proof writes; removed afterwards. */
  folder: string;
  /** Everything in a size that CI affords; without it, in the size of the claim. */
  small: boolean;
  /** Flags of the command line that only this proof knows. */
  flags: Record<string, string | boolean>;
  env: NodeJS.ProcessEnv;
  progress: (line: string) => void;
}

export interface Proven {
  ok: boolean;
  /** Plain figures, in the order in which they are printed. */
  figures: Record<string, unknown>;
  /** What failed, in words. */
  problems: string[];
}

/** A claim of the README that anyone can run again. */
export interface Proof {
  name: string;
  claim: string;
  run(context: ProofContext): Promise<Proven>;
}
