import { endAlarm, raiseAlarm } from '../../shared/action/alarm-issue.js';
import { docsLink } from '../../shared/action/docs-link.js';
import type { GithubApi } from '../../shared/action/github-api.js';
import { code, Markdown, withCode } from '../../shared/action/markdown.js';
import type { Report } from '../../shared/action/operation.js';
import { McprtError, messageOf } from '../../shared/errors.js';

/** What a verification watches over, and where it tells of it. */
export interface Watch {
  api: GithubApi & { runUrl: string };
  domain: string;
  /** The objective: the oldest that the newest verified backup may be, in ms. */
  maxAge: number;
  progress: (line: string) => void;
  warn: (line: string) => void;
}

/**
 * Verifies, and keeps one issue of the repository open while that fails. What the verification came to stays what it is,
 * whether the issue can be written or not. A job that was cancelled has seen nothing.
 */
export async function underWatch(verify: () => Promise<Report>, watch: Watch): Promise<Report> {
  const { api, domain, progress, warn } = watch;
  const marker = `backups of ${domain}`;
  const tell = async <T>(write: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await write();
    } catch (error) {
      const more = error instanceof McprtError ? `: ${error.why}\nnext: ${error.next}` : '';
      warn(`${messageOf(error)}${more}`);
      return undefined;
    }
  };
  let report: Report;
  try {
    report = await verify();
  } catch (error) {
    const title = `mcprt: no fresh backup of ${domain}`;
    const state = error instanceof McprtError ? error.code : 'unexpected';
    if (state !== 'job-cancelled') {
      const issue = await tell(() => raiseAlarm(api, { marker, title, state, markdown: alarmText(error, watch) }));
      if (issue !== undefined) progress(`issue ${issue.number} tells of it: ${issue.done}`);
    }
    throw error;
  }
  const { generation = '', 'created-at': created = '' } = report.outputs;
  const over = `✅ Generation ${generation} of ${created} was verified: ${linkTo(watch)}.`;
  const issue = await tell(() => endAlarm(api, marker, over));
  return issue === undefined ? report : { ...report, details: { ...report.details, closedIssue: issue.number } };
}

/** The text of the issue. An error holds no secret, but may quote names that somebody planted. */
export function alarmText(error: unknown, watch: Watch): string {
  const markdown = new Markdown().line(
    `No backup of ${code(watch.domain)} that is younger than ${span(watch.maxAge)} could be verified. If the cluster is lost or wiped now, what only an older backup has, or none, has to be ordered and set up again.`,
  );
  if (error instanceof McprtError) {
    markdown
      .line(`**What** ${withCode(error.message)} (${linkedCode(error.code)})`)
      .line(['**Why**', ...error.why.split('\n').map((line) => `- ${withCode(line)}`)].join('\n'))
      .line(['**Next**', ...error.next.split('\n').map((line) => `- ${withCode(line)}`)].join('\n'));
  } else {
    // What an unknown error says was written for nobody in particular: the run's log has it, masked.
    markdown.line('**What** an unexpected error; the log of the run has it.');
  }
  markdown.line(`Evidence: ${linkTo(watch)}. This issue is closed by the first run that verifies a fresh backup.`);
  return markdown.text();
}

function linkedCode(name: string): string {
  const link = docsLink(name, process.env);
  return link.startsWith('http') ? `[${code(name)}](${link})` : code(name);
}

function linkTo({ api: { runUrl } }: Watch): string {
  return `[this run](${runUrl})`;
}

function span(ms: number): string {
  const hours = Math.round(ms / 3600_000);
  return hours > 72 ? `${Math.round(hours / 24)} days` : `${hours} hours`;
}
