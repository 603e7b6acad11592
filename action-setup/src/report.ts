import { findingsTable } from '../../shared/action/findings.js';
import { daysLeft, issuerName, shortSerial, spanText } from '../../shared/action/format.js';
import { code, escaped, Markdown, withCode } from '../../shared/action/markdown.js';
import type { Told } from '../../shared/action/result.js';
import { excuseWords } from '../../shared/backup/restore-plan.js';
import { consequencesOfFirst } from '../../shared/checks/causes.js';
import { blocking } from '../../shared/checks/finding.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import type { PlatformFacts } from '../../shared/facts/observe-platform.js';
import type { HttpAnswer } from '../../shared/platform/reach.js';
import type { SetupCase } from '../../shared/setup/mode.js';
import type { SetupRecord } from '../../shared/setup/options.js';
import { ordering } from '../../shared/setup/orders.js';
import type { setupTelling } from './result.js';

type Tells = Told<typeof setupTelling>;

const cases: Record<SetupCase, string> = {
  'first-install': 'First install',
  'first-install-resumed': 'First install, resumed',
  'new-cluster': 'New cluster, restored from a backup of the old one',
  rerun: 'Rerun',
  'rerun-after-wipe': 'Rerun after a wipe, restored from a backup',
  'cert-manager-gone': 'Rerun with cert-manager installed again',
};

/** What a run tells the workflow, also one that failed on the way. */
export function outputsOf(record: SetupRecord, dryRun: boolean): Tells {
  const { decision, restored, findings } = record;
  const plain: Tells['outputs'] = {
    case: decision?.case ?? '',
    mode: decision?.mode ?? '',
    plan: record.plan ?? '',
    orders: dryRun ? ordering(record.forecasts).length : record.newOrders.length,
    certificates: record.certificates.length,
    generation: restored?.context.generation ?? '',
    version: record.binary?.commit ?? '',
    fingerprint: record.fingerprint ?? '',
    findings: findings.length,
    finding: findings[0]?.code ?? '',
  };
  const details: Tells['details'] = {
    reasons: decision?.reasons ?? [],
    findings,
    forecast: record.forecasts,
    warnings: record.warnings,
    certificates: record.certificates,
    newOrders: record.newOrders,
    certManagerInstalled: record.certManagerInstalled,
    installer: record.installer && { code: record.installer.code, steps: record.installer.steps },
    binary: record.binary && { commit: record.binary.commit, version: record.binary.version },
    phases: record.phases,
  };
  return { outputs: plain, details };
}

/** The summary of an installation: which case it was, the certificates before and after, what was found, how long it took. */
export function setupSummary(
  record: SetupRecord,
  { domain, dryRun, now, error }: { domain: string; dryRun: boolean; now: Date; error: unknown },
): Markdown {
  const { decision, findings, installer } = record;
  const markdown = new Markdown().heading(
    `${dryRun ? 'Setup plan' : 'Setup'} of ${domain}: ${decision === undefined ? 'not begun' : cases[decision.case].toLowerCase()}`,
  );
  markdown.line(headline(record, error, dryRun));
  // Where the cluster explains it, that is the cause; otherwise the error has its own.
  if (error instanceof McprtError && record.likely === undefined) markdown.list(error.why.split('\n'));
  if (error !== undefined && decision) markdown.line('**What was found at the beginning**');
  if (dryRun && record.plan !== undefined && error === undefined) markdown.line(`Plan ${code(record.plan)}`);
  if (decision) markdown.list(decision.reasons.map((reason) => `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`));
  findingsTable(markdown, findings);
  markdown.table(
    ['Certificate', 'Names', 'Issued by', 'Serial before', 'Serial now', 'Days left', 'Forecast'],
    certificateRows(record, now),
  );
  if (record.warnings.length > 0) markdown.line('⚠️ **Worth knowing**').list(record.warnings);
  if (record.binary) {
    markdown.line(
      `Platform source ${code(record.binary.commit || 'unknown commit')}${record.certManagerInstalled ? `; cert-manager was installed${decision?.mode === 'rerun' ? ' again' : ''}` : ''}${record.restored ? `; restored from generation ${record.restored.context.generation} in ${record.restored.source.store}` : ''}.`,
    );
  }
  const times = new Markdown()
    .table(
      ['Phase', 'Time'],
      record.phases.map(({ name, seconds }) => [escaped(name), spanText(seconds)]),
    )
    .table(
      ['Step of the installer', 'Time'],
      (installer?.steps ?? []).map(({ title, seconds }) => [escaped(title), spanText(seconds)]),
    );
  if (record.phases.length > 0) {
    markdown.details(`Times: ${spanText(record.phases.reduce((sum, { seconds }) => sum + seconds, 0))}`, times);
  }
  nextPart(markdown, error, dryRun);
  return markdown;
}

/** What became of it in a sentence or two: when it failed, the error that ended it, and what was found that may be why. */
function headline(record: SetupRecord, error: unknown, dryRun: boolean): string {
  const orders = (count: number): string => `**${count} certificate order${count === 1 ? '' : 's'}**`;
  if (error !== undefined) {
    const { likely } = record;
    const name = error instanceof McprtError ? `${code(error.code)}: ` : '';
    const cause =
      likely === undefined ? '' : ` Likely because: **${escaped(likely.subject)}: ${escaped(likely.cause)}.**`;
    return `❌ ${name}${withCode(messageOf(error))}.${cause}`;
  }
  if (dryRun) return `🔍 ${orders(ordering(record.forecasts).length)} would follow. Nothing was changed.`;
  return `✅ Installed and verified: ${orders(record.newOrders.length)}, ${record.certificates.length} certificates Ready, all workloads rolled out, HTTPS seen from outside.`;
}

/** What the first finding is known to bring about, as a sentence; empty where that is nothing. */
function causedByFirst(findings: SetupRecord['findings']): string {
  const caused = consequencesOfFirst(findings);
  if (caused.length === 0) return '';
  const isAll = caused.length === blocking(findings).length - 1;
  const others = caused.length === 1 ? 'the other' : 'the others';
  const named = [...new Set(caused.map((one) => one.code))].map(code).join(', ');
  return ` The first is the likeliest cause of ${isAll ? others : named}.`;
}

/** The summary of a check. */
export function checkSummary(record: SetupRecord, facts: PlatformFacts, domain: string): Markdown {
  const { findings, certificates } = record;
  const errors = blocking(findings).length;
  const markdown = new Markdown()
    .heading(`Check of ${domain}`)
    .line(
      errors === 0
        ? `✅ Nothing is wrong${findings.length === 0 ? '' : `; ${findings.length} thing${findings.length === 1 ? '' : 's'} worth knowing`}.`
        : `❌ **${errors} thing${errors === 1 ? ' is' : 's are'} wrong.**${causedByFirst(findings)}`,
    );
  findingsTable(markdown, findings);
  markdown.table(
    ['Name', 'DNS', 'Port 80', 'Port 443'],
    facts.names.map(({ host, dns, http, tls }) => [
      code(host),
      dns === undefined
        ? 'not asked'
        : 'error' in dns
          ? `❌ ${escaped(dns.error)}`
          : dns.addresses.map(escaped).join('\n'),
      http === undefined ? '–' : 'error' in http ? `❌ ${escaped(http.error)}` : escaped(answerText(http)),
      tls === undefined
        ? '–'
        : 'error' in tls
          ? `❌ ${escaped(tls.error)}`
          : `${shortSerial(tls.serial)} ${escaped(tls.problem)}`,
    ]),
  );
  markdown.table(
    ['Certificate', 'Names', 'Issued by', 'Serial', 'Days left', 'Ready'],
    certificates.map((one) => [
      code(`${one.namespace}/${one.name}`),
      one.identifiers.map(escaped).join('\n'),
      escaped(issuerName(one.issuedBy)),
      shortSerial(one.serial),
      daysLeft(one.notAfter, facts.seen.now),
      one.ready ? '✅' : '❌',
    ]),
  );
  if (facts.unseen.length > 0) {
    markdown.line('⚠️ **Not looked at**, as these credentials may not read it').list(facts.unseen);
  }
  return markdown.line(
    errors === 0 ? '**Next:** nothing.' : `**Next:** ${withCode(blocking(findings)[0]?.remedy ?? '')}`,
  );
}

/** `404 page not found`, `308 to https://…`: the status once, and what tells most. */
function answerText({ status, location, body }: HttpAnswer): string {
  if (location !== '') return `${status} to ${location}`;
  return body.startsWith(String(status)) ? body.slice(0, 40) : `${status} ${body.slice(0, 40)}`;
}

function certificateRows({ forecasts, certificates }: SetupRecord, now: Date): string[][] {
  const keys = [
    ...new Set([...forecasts, ...certificates].map(({ namespace, name }) => `${namespace}/${name}`)),
  ].sort();
  return keys.map((key) => {
    const before = forecasts.find((one) => `${one.namespace}/${one.name}` === key);
    const after = certificates.find((one) => `${one.namespace}/${one.name}` === key);
    const same = before?.serial !== undefined && before.serial === after?.serial;
    return [
      code(key),
      (after?.identifiers ?? before?.identifiers ?? []).map(escaped).join('\n'),
      escaped(issuerName(after?.issuedBy || before?.issuedBy)),
      shortSerial(before?.serial),
      after === undefined ? '–' : `${same ? '✅ same' : shortSerial(after.serial)}`,
      daysLeft(after?.notAfter ?? before?.notAfter, now),
      before === undefined ? '–' : forecastText(before),
    ];
  });
}

function forecastText({ verdict, reason, excused }: SetupRecord['forecasts'][number]): string {
  if (verdict === 'keep') return verdict;
  const told = excused === undefined ? escaped(reason) : `${escaped(reason)}: ${excuseWords[excused]}`;
  return `${verdict}\n${told}`;
}

function nextPart(markdown: Markdown, error: unknown, dryRun: boolean): void {
  if (error === undefined) {
    markdown.line(
      dryRun
        ? '**Next:** have it approved, and run `operation: install` without `dry-run`, with the digest as `expect-plan`.'
        : '**Next:** back up (`operation: backup` of action-backup), and run the smoke test (action-smoke-test).',
    );
    return;
  }
  const [first = '', ...more] = error instanceof McprtError ? error.next.split('\n') : ['run setup again'];
  if (more.length === 0) markdown.line(`**Next:** ${withCode(first)}`);
  else markdown.line('**Next**').list([first, ...more]);
}
