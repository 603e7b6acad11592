import type { Finding } from '../checks/finding.js';
import { docsLink } from './docs-link.js';
import { log } from './log.js';
import { escaped, type Markdown, narrowCode, withCode } from './markdown.js';

/** Findings as annotations of the step, causes before what they bring about. */
export function annotateFindings(findings: readonly Finding[]): void {
  for (const { severity, code: name, subject, cause, evidence, remedy } of findings) {
    log[severity](
      `${subject}: ${cause}\nseen: ${evidence.join('; ')}\nnext: ${remedy}\nmore: ${docsLink(name, process.env)}`,
      {
        title: name,
      },
    );
  }
}

/** Adds a table of findings to a summary: what, why, the evidence, and what to do. */
export function findingsTable(markdown: Markdown, findings: readonly Finding[]): void {
  const mark = { error: '❌', warning: '⚠️', notice: 'ℹ️' };
  markdown.table(
    ['', 'Finding', 'Evidence', 'What to do'],
    findings.map(({ severity, code: name, subject, cause, evidence, remedy, confidence }) => [
      mark[severity],
      `**${escaped(subject)}**\n${escaped(cause)}${confidence === 'certain' ? '' : ` (${confidence})`}\n[${name}](${docsLink(name, process.env)})`,
      evidence.map((line) => narrowCode(line)).join('\n'),
      withCode(remedy),
    ]),
  );
}
