/**
 * Reads the platform's installer by what it prints. Its headings are for people and its errors name other steps; both
 * are known here. Source: the setup command's output on a cluster.
 */

/** What a line of the installer is to a log that is folded by step. */
export type Heard =
  | { kind: 'step'; title: string }
  | { kind: 'failed'; step: string | undefined; message: string }
  /** What its preflight found; its error only counts them. */
  | { kind: 'blocker'; text: string }
  /** Advice that would do harm, and what is to be said beside it. */
  | { kind: 'harmful'; comment: string }
  | { kind: 'line' };

const titles: readonly (readonly [RegExp, string])[] = [
  [/^# MCP Runtime Setup/, 'Preflight of the installer'],
  // Not every heading counts its step: `## Configure workload mTLS PKI` stands between two that do.
  [/^## (?<title>\S.*)$/, ''],
  [/^ ?INFO {2}Deploying operator manifests/, 'Deploy the operator'],
  [/^ ?INFO {2}Deploying mcp-sentinel manifests/, 'Deploy mcp-sentinel'],
];

/** What one line says, once colours are taken off. */
export function hear(line: string): Heard {
  const plain = withoutColour(line).trimEnd();
  for (const [pattern, title] of titles) {
    const found = pattern.exec(plain);
    if (found) return { kind: 'step', title: title || (found.groups?.title ?? plain) };
  }
  const failed = /^Error: (?:setup step "(?<step>[^"]+)" failed: )?(?<message>.*)$/.exec(plain);
  if (failed) return { kind: 'failed', step: failed.groups?.step, message: failed.groups?.message ?? '' };
  const blocker = /^ ?ERROR\s+Pre-flight \[\d+\/\d+\] (?<text>.+)$/.exec(plain)?.groups?.text;
  if (blocker !== undefined) return { kind: 'blocker', text: blocker };
  const isHarmful = /^ ?WARNING\s.*\borphaned secret\b/i.test(plain);
  return isHarmful ? { kind: 'harmful', comment: keepsSecret } : { kind: 'line' };
}

/** The installer takes a Secret that was restored before it for one that somebody has left behind. */
const keepsSecret =
  'mcprt: do not delete this Secret. It is what a restore has brought back: its Certificate is made next, and takes it. Without it, a new certificate is ordered.';

/** A line without ANSI colours (ECMA-48 SGR), which some tools print although NO_COLOR is set. */
export function withoutColour(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  return line.replace(/\u001b\[[0-9;]*m/g, '');
}
