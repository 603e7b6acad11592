import { type ErrorCode, McprtError } from './errors.js';

/** Why GitHub's REST API refused, as far as its answer tells. */
export type RefusalKind =
  /** Asked too often: the same call works later. */
  | 'rate-limited'
  /** No answer, or one of a gateway. */
  | 'away'
  /** The token may not, or what was asked for is not there: GitHub does not tell these apart. */
  | 'forbidden'
  /** Anything else. */
  | 'refused';

/** An answer of GitHub's REST API that is a refusal, or none at all. It holds no token. */
export class GithubRefusal extends Error {
  /** 0 where nothing came. */
  readonly status: number;
  readonly kind: RefusalKind;
  /** What to do that the answer itself tells; undefined where it may be the job's permissions. */
  readonly next: string | undefined;

  constructor(status: number, kind: RefusalKind, told: string, next?: string) {
    super(told);
    this.status = status;
    this.kind = kind;
    this.next = next;
  }
}

/** A refusal as an error: what to do is what the answer tells, or else the permission that the job may lack. */
export function githubError(
  error: unknown,
  { code, what, next }: { code: ErrorCode; what: string; next: string },
): unknown {
  if (!(error instanceof GithubRefusal)) return error;
  return new McprtError(code, { what, why: error.message, next: error.next ?? next, cause: error });
}
