/** Kinds of annotations, as the runner's commands are called. */
export type Kind = 'error' | 'warning' | 'notice';

/** GitHub shows ten annotations of a kind for a step, the first ones, and says of no other that there was one. */
const limit = 10;

/**
 * Which annotations of a step are made: the first of each kind as they come, so that whoever has several tells the worst
 * first. The last place is kept for how many more there are, and among errors one for what has ended the step.
 */
export class AnnotationCount {
  readonly #seen: Record<Kind, number> = { error: 0, warning: 0, notice: 0 };

  /**
   * Whether one more is made; otherwise it is for the log alone.
   *
   * @param isEnd whether it says what has ended the step
   */
  takes(kind: Kind, isEnd = false): boolean {
    if (isEnd) return true;
    this.#seen[kind] += 1;
    return this.#seen[kind] <= mostOf(kind);
  }

  /** What is told at the end of those that were not made. */
  missing(): { kind: Kind; text: string }[] {
    return (['error', 'warning', 'notice'] as const).flatMap((kind) => {
      const more = this.#seen[kind] - mostOf(kind);
      return more > 0
        ? [{ kind, text: `${more} more ${kind}${more > 1 ? 's' : ''}: see the log of this step, and its summary` }]
        : [];
    });
  }
}

function mostOf(kind: Kind): number {
  return kind === 'error' ? limit - 2 : limit - 1;
}
