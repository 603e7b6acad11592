import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { docsLink } from '../../shared/action/docs-link.js';
import { daysLeft, issuerName, shortSerial, spanText } from '../../shared/action/format.js';
import { log } from '../../shared/action/log.js';
import { code, escaped, Markdown, withCode } from '../../shared/action/markdown.js';
import type { Told } from '../../shared/action/result.js';
import { errorPart } from '../../shared/action/run.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import type { MetadataError } from '../../shared/platform/servers-file.js';
import type { Check } from '../../shared/smoke/checks.js';
import type { CleanupLine } from '../../shared/smoke/cleanup.js';
import type { SeenName } from '../../shared/smoke/health.js';
import { junitOf } from '../../shared/smoke/junit.js';
import { failureGroups, isBreach, skipReasons, worstFirst } from '../../shared/smoke/severity.js';
import type { SmokeInputs } from './inputs.js';
import type { smokeTelling } from './result.js';

type Tells = Told<typeof smokeTelling>;

/** What a run came to. */
export interface SmokeReport {
  operation: string;
  domain: string;
  run: string;
  checks: readonly Check[];
  names: readonly SeenName[];
  cleanup: readonly CleanupLine[] | undefined;
  removed: number;
  /** What could not be removed. */
  left: readonly string[];
  isDryRun: boolean;
  server: string;
  url: string;
  junit: string;
  at: Date;
  /** From its beginning to its end: checks run side by side. */
  seconds: number;
  /** Whether what was deployed is still there. */
  isKept: boolean;
}

/** The report of an operation that begins. */
export function newReport(
  inputs: Pick<SmokeInputs, 'operation' | 'dry-run'>,
  known: Pick<SmokeReport, 'domain' | 'run' | 'checks' | 'isKept'>,
): SmokeReport {
  return {
    ...known,
    operation: inputs.operation,
    names: [],
    cleanup: undefined,
    removed: 0,
    left: [],
    isDryRun: inputs['dry-run'],
    server: '',
    url: '',
    junit: '',
    at: new Date(),
    seconds: 0,
  };
}

/** What a run tells the workflow, also one that failed. */
export function outputsOf(report: SmokeReport): Tells {
  const count = (status: Check['status']): number => report.checks.filter((check) => check.status === status).length;
  const plain: Tells['outputs'] = {
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    failure: failureGroups(report.checks)[0]?.code ?? '',
    junit: report.junit,
    'run-id': report.run,
    server: report.server,
    url: report.url,
    removed: report.removed,
  };
  const details: Tells['details'] = {
    ok: plain.failed === 0 && report.left.length === 0,
    domain: report.domain,
    checks: report.checks,
    certificates: report.names.map(({ host, address, certificate }) => ({
      host,
      address,
      serial: certificate?.serial ?? null,
      issuer: certificate?.issuer ?? null,
      notAfter: certificate?.notAfter.toISOString() ?? null,
    })),
    cleanup: (report.cleanup ?? []).map(({ thing, isRemoved, reason }) => ({
      ...thing,
      createdAt: Number.isNaN(thing.createdAt.getTime()) ? null : thing.createdAt.toISOString(),
      removed: isRemoved,
      reason,
    })),
    left: report.left,
    seconds: report.seconds,
  };
  return { outputs: plain, details };
}

/** Notes how long it has taken so far. */
export function stopClock(report: SmokeReport): void {
  report.seconds = Math.round(Date.now() - report.at.getTime()) / 1000;
}

/** Writes the JUnit report. @throws McprtError `smoke-junit` */
export async function writeJunit({ checks, domain, junit, at }: SmokeReport): Promise<void> {
  const text = junitOf(worstFirst(checks), { name: `mcprt smoke test of ${domain}`, at });
  await mkdir(dirname(junit), { recursive: true })
    .then(() => writeFile(junit, text))
    .catch((cause: unknown) => {
      throw new McprtError('smoke-junit', {
        what: 'the JUnit report cannot be written',
        why: messageOf(cause),
        next: 'correct `junit`: the path of a file that can be written',
        cause,
      });
    });
}

/** Failed checks as annotations, mistakes in the metadata on their lines. */
export function annotateChecks(checks: readonly Check[], metadataErrors: readonly MetadataError[]): void {
  const mistakes = metadataErrors.flatMap(({ file, problems }) => problems.map((problem) => ({ file, ...problem })));
  for (const { file, line, text } of mistakes) {
    log.error(text, { title: 'smoke-metadata', file, startLine: line });
  }
  for (const { code, next, checks: alike } of failureGroups(checks)) {
    if (code === 'smoke-metadata') continue;
    const seen = alike.map(({ suite, name, failure }) => `${suite}: ${name}: ${failure.what}\nwhy: ${failure.why}`);
    log.error(`${seen.join('\n')}\nnext: ${next}\nmore: ${docsLink(code, process.env)}`, { title: code });
  }
}

/**
 * The summary of a run: the error that ended it, where one did, what failed and what to do, then each suite, then what was
 * seen of the certificates.
 */
export function smokeSummary(report: SmokeReport, failure?: { error: unknown }): Markdown {
  const { checks, domain, cleanup, names, at } = report;
  const markdown = new Markdown().heading(`${titleOf(report)} ${domain}`);
  if (failure !== undefined) errorPart(markdown, failure.error);
  if (cleanup !== undefined) cleanupPart(markdown, report, cleanup);
  if (checks.length === 0) return markdown;
  const failed = failedOf(checks);
  markdown.line(
    failure !== undefined && failed.length === 0
      ? `${passedOf(checks).length} checks had passed until then.`
      : headline(report, failed),
  );
  if (report.url !== '' && report.isKept) markdown.line(`Server ${code(report.server)} at ${code(report.url)}`);
  failures(markdown, checks);
  notMade(markdown, checks);
  markdown.table(
    ['Suite', 'Passed', 'Failed', 'Skipped'],
    suitesOf(checks).map((suite) => {
      const own = checks.filter((check) => check.suite === suite);
      const count = (status: Check['status']): string => String(own.filter((one) => one.status === status).length);
      return [escaped(suite), count('passed'), count('failed'), count('skipped')];
    }),
  );
  markdown.table(
    ['Name', 'Resolves to', 'Certificate by', 'Days left', 'Serial'],
    names.map(({ host, address, certificate }) => [
      code(host),
      address === '' ? '–' : code(address),
      escaped(issuerName(certificate?.issuer)),
      daysLeft(certificate?.notAfter, at),
      shortSerial(certificate?.serial),
    ]),
  );
  for (const suite of suitesOf(checks)) {
    const own = checks.filter((check) => check.suite === suite);
    markdown.details(`${suite}: ${own.length} checks`, checksTable(own));
  }
  return markdown;
}

/** The comment on a pull request whose preview is gone. */
export function removedComment(runUrl: string): string {
  return new Markdown()
    .heading('MCP server preview', 3)
    .line(`🧹 **Removed.** ${runLink(runUrl)}`)
    .text();
}

/** The comment on a pull request: whether its preview works, where it is, and what to do when it does not. */
export function previewComment(report: SmokeReport, { sha, runUrl }: { sha: string; runUrl: string }): string {
  const failed = failedOf(report.checks);
  const markdown = new Markdown().heading('MCP server preview', 3);
  markdown.line(headline(report, failed));
  if (report.url !== '') {
    const config = { mcpServers: { [report.server]: { type: 'http', url: report.url } } };
    markdown
      .line(
        [
          `- Address: [${code(report.url)}](${report.url})`,
          `- Server: ${code(report.server)}`,
          `- Commit: ${code(sha.slice(0, 12))}`,
        ].join('\n'),
      )
      .details(
        'Connect a client',
        new Markdown()
          .line('Calls of tools need an identity: connect through the `mcp-runtime` adapter, as a member of the team.')
          .line(`\`\`\`json\n${JSON.stringify(config, null, 2)}\n\`\`\``),
      );
  }
  failures(markdown, report.checks);
  notMade(markdown, report.checks);
  return markdown.details(`${report.checks.length} checks`, checksTable(report.checks)).line(runLink(runUrl)).text();
}

function titleOf({ operation }: SmokeReport): string {
  if (operation === 'cleanup') return 'Cleanup of the smoke tests of';
  return operation === 'preview' ? 'MCP server preview on' : 'Smoke test of';
}

function headline({ checks, seconds }: SmokeReport, failed: readonly Check[]): string {
  if (failed.length === 0) return `✅ **All ${passedOf(checks).length} checks passed** in ${spanText(seconds)}.`;
  const many = failedCount(checks);
  const [worst] = failureGroups(checks);
  const breach = worst !== undefined && isBreach(worst.code) ? worst.checks[0] : undefined;
  if (breach === undefined) return `❌ **${many}** in ${spanText(seconds)}.`;
  return `🚨 **Isolation is broken: ${escaped(breach.failure.what)}.** ${many} in ${spanText(seconds)}.`;
}

/** What failed, the worst first; what failed alike is one row. */
function failures(markdown: Markdown, checks: readonly Check[]): void {
  markdown.table(
    ['Failed', 'Why', 'What to do'],
    failureGroups(checks).map(({ code: failed, next, checks: alike }) => {
      const where = alike.map(({ suite, name }) => `**${escaped(`${suite}: ${name}`)}**`);
      const what = [...new Set(alike.map(({ failure }) => escaped(failure.what)))];
      const why = [...new Set(alike.flatMap(({ failure }) => failure.why.split('\n')))].map(code);
      const count = alike.length > 1 ? [`${alike.length} times:`] : [];
      return [
        [...count, ...where, ...what, `[${failed}](${docsLink(failed, process.env)})`].join('\n'),
        why.join('\n'),
        withCode(next),
      ];
    }),
  );
}

function notMade(markdown: Markdown, checks: readonly Check[]): void {
  const reasons = skipReasons(checks);
  if (reasons.length === 0) return;
  const count = reasons.reduce((sum, one) => sum + one.count, 0);
  const told = reasons.map((one) => `${escaped(one.reason)}${reasons.length > 1 ? ` (${one.count})` : ''}`).join(' · ');
  markdown.line(`➖ ${count} ${count === 1 ? 'check was' : 'checks were'} skipped: ${told}`);
}

function checksTable(checks: readonly Check[]): Markdown {
  const mark = { passed: '✅', failed: '❌', skipped: '➖' };
  return new Markdown().table(
    ['', 'Check', 'Seen', 'Took'],
    checks.map(({ status, name, detail, failure, ms }) => [
      mark[status],
      escaped(name),
      escaped(failure?.what ?? detail),
      status === 'skipped' ? '–' : spanText(ms / 1000),
    ]),
  );
}

function cleanupPart(
  markdown: Markdown,
  { removed, left, isDryRun }: SmokeReport,
  lines: readonly CleanupLine[],
): void {
  const wanted = lines.filter(({ isRemoved }) => isRemoved).length;
  if (left.length > 0) markdown.line(`❌ **${left.length} of ${wanted} could not be removed.**`).list(left);
  else if (isDryRun) markdown.line(`🔍 **${wanted} would be removed.** Nothing was.`);
  else markdown.line(removed === 0 ? '✅ **Nothing is left to remove.**' : `🧹 **${removed} removed.**`);
  markdown.table(
    ['', 'What', 'Namespace', 'Why'],
    lines.map(({ thing, isRemoved, reason }) => [
      isRemoved ? '🧹' : '➖',
      `${thing.kind} ${code(thing.name)}`,
      code(thing.namespace),
      escaped(reason),
    ]),
  );
}

/** How many checks failed, of those that were made: what was skipped is neither. */
export function failedCount(checks: readonly Check[]): string {
  const failed = failedOf(checks).length;
  return `${failed} of ${failed + passedOf(checks).length} checks failed`;
}

function passedOf(checks: readonly Check[]): Check[] {
  return checks.filter(({ status }) => status === 'passed');
}

function failedOf(checks: readonly Check[]): Check[] {
  return checks.filter(({ status }) => status === 'failed');
}

function suitesOf(checks: readonly Check[]): string[] {
  return [...new Set(checks.map(({ suite }) => suite))];
}

function runLink(runUrl: string): string {
  return `[Summary of the run](${runUrl})`;
}
