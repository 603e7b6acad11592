/**
 * The one error that mcprt throws on purpose. Each code is an anchor in docs/troubleshooting.md.
 *
 * `message` is what happened, `why` the evidence for the cause, `next` what the reader should do. None of the
 * three may hold a secret: errors end up in logs, annotations and summaries.
 */
export class McprtError extends Error {
  override readonly name = 'McprtError';
  readonly code: ErrorCode;
  readonly why: string;
  readonly next: string;

  constructor(code: ErrorCode, text: { what: string; why: string; next: string; cause?: unknown }) {
    super(text.what, text.cause === undefined ? undefined : { cause: text.cause });
    this.code = code;
    this.why = text.why;
    this.next = text.next;
  }
}

/** Lower-kebab, with the topic first: `profile-syntax`, `store-read-only`. */
export type ErrorCode = `${string}-${string}`;

/** What anything thrown says about itself, in one line. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
