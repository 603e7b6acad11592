import type { ModuleProgram } from '../../../lab/driver/module-program.js';
import type { CertManagerVersion } from '../../../shared/certificates/version.js';
import type { Random } from '../../random.js';

/** What one side says of a case, in one form for both. */
export interface Judgement {
  /** What it comes to; `crash` where cert-manager would die of the case. */
  readonly verdict: string;
  readonly reason: string;
  readonly message: string;
  /** What is compared besides, as text. */
  readonly more: string;
}

/** Our side, or a wrong one that is planted in its place. */
export type Judge<Question> = (question: Question, version: CertManagerVersion) => Judgement;

/** Something of ours that restates something of cert-manager, and how both are asked. */
export interface Contest<Question extends object, Answer> {
  /** By what it is asked for: `--only`. */
  readonly name: string;
  /** What of cert-manager is asked: the head of its table's first column. */
  readonly of: string;
  readonly program: ModuleProgram;
  /** Makes cases, the same from the same generator. */
  cases(random: Random, version: CertManagerVersion): () => Question;
  readonly ours: Judge<Question>;
  /** A case as the program reads it. */
  readonly asked: (question: Question) => object;
  theirs(answer: Answer, question: Question): Judgement;
  /** In what two judgements differ; undefined where they do not. */
  difference(own: Judgement, real: Judgement): string | undefined;
  /** Faults in our side that can be found in a version. */
  plants(version: CertManagerVersion): [name: string, judge: Judge<Question>][];
  /** Verdicts, each of which a share of all cases must come to: fewer would say little about it. */
  readonly verdicts: readonly string[];
  /** Paths in a case that are not left out to make it smaller. */
  readonly needed: RegExp;
  /** A case so that it can be read. */
  readable(question: Question): unknown;
}

/** The faults that can be found in a version: older ones have no rule to break. */
export function foundSince<Judged>(
  plants: Readonly<Record<string, Judged>>,
  since: Readonly<Record<string, readonly [major: number, minor: number]>>,
): (version: CertManagerVersion) => [name: string, judge: Judged][] {
  return (version) =>
    Object.entries(plants).filter(([name]) => {
      const first = since[name];
      return first === undefined || version.atLeast(...first);
    });
}
