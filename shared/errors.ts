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
    super(clipped(text.what, longest.what), text.cause === undefined ? undefined : { cause: text.cause });
    this.code = code;
    this.why = clipped(text.why, longest.why);
    this.next = clipped(text.next, longest.next);
  }
}

/** Evidence is often what somebody else has written, at any length. In characters. */
const longest = { what: 1_000, why: 8_000, next: 4_000 } as const;

/** The beginning of a text, and that there is more of it. */
export function clipped(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text;
}

/** Lower-kebab, with the topic first: `profile-syntax`, `store-read-only`. */
export type ErrorCode = `${string}-${string}`;

/** What anything thrown says about itself, in one line. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The same, with the evidence that an error of ours has. */
export function toldBy(thrown: unknown): string {
  return thrown instanceof McprtError ? `${thrown.message}: ${thrown.why}` : messageOf(thrown);
}
