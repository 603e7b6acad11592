import type { LabOptions, LabState } from '../../lab/driver/lab.js';
import type { Findings } from './findings.js';

/** What of a lab is to be otherwise. `env` stands beside the proof's own variables. */
export type LabWishes = Partial<Pick<LabOptions, 'env' | 'before130' | 'apiServers'>>;

/** Thrown by a proof that this machine cannot run: it holds for nothing then. */
export class NotRun extends Error {}

/** The exit code of proofs of which none failed, and some could not be run. */
export const notRunCode = 3;

/** What a proof runs with, and where it notes what is wrong. */
export interface ProofContext extends Findings {
  /** A fresh lab for this proof alone; it is taken down afterwards. */
  lab(wishes?: LabWishes): Promise<LabState>;
  /** Folder for what the proof writes; removed afterwards. */
  folder: string;
  /** Everything in a size that CI affords; without it, in the size of the claim. */
  small: boolean;
  /** Flags of the command line that only this proof knows. */
  flags: Record<string, string | boolean>;
  env: NodeJS.ProcessEnv;
  progress: (line: string) => void;
}

/** Plain figures, in the order in which they are printed. */
export type Figures = Record<string, unknown>;

/** A claim of docs/guarantees.md that anyone can run again. It holds when nothing was noted. */
export interface Proof {
  name: string;
  claim: string;
  /** Whether `npm test` leaves it out, as it takes too long for every change. */
  onDemand?: boolean;
  run(context: ProofContext): Promise<Figures>;
  /** What came of a run, in a cell of the table of versions; absent where other versions show nothing new. */
  inTable?(figures: Figures): string;
}

/** What of a proof is wanted by `--only`; all of it when that is not given. */
export function isWanted({ flags }: ProofContext, part: string): boolean {
  return flags.only === undefined || flags.only === part;
}

/** The cases of a list that are run: those that `--only` names, in small the quick ones, or all. */
export function chosenOf<T extends { name: string; quick?: boolean }>(
  { flags: { only }, small }: ProofContext,
  cases: readonly T[],
): T[] {
  if (typeof only === 'string') return cases.filter(({ name }) => name.includes(only));
  return cases.filter(({ quick }) => !small || quick);
}
