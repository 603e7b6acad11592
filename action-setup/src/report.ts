import * as core from '@actions/core';
import { daysLeft, issuerName, shortSerial, spanText } from '../../shared/action/cells.js';
import { code, escaped, Markdown } from '../../shared/action/markdown.js';
import type { Finding } from '../../shared/checks/finding.js';
import { blocking } from '../../shared/checks/finding.js';
import type { World } from '../../shared/checks/world.js';
import type { SetupCase } from '../../shared/setup/mode.js';
import { ordering } from '../../shared/setup/orders.js';
import type { SetupRecord } from '../../shared/setup/setup.js';
import type { outputNames } from './inputs.js';

type Outputs = Record<(typeof outputNames)[number], string | number>;

/** Version of the output `result`; it changes when a field changes its meaning or goes. */
const resultSchema = 'mcprt.setup/1';

/** GitHub shows ten annotations of a kind for a step; the first of ours is the likeliest cause. */
const annotationLimit = 9;

const troubleshooting = 'https://github.com/mcprt/mcprt/blob/v1/docs/troubleshooting.md';

const cases: Record<SetupCase, string> = {
  'first-install': 'First install',
  'first-install-resumed': 'First install, resumed',
  'new-cluster': 'New cluster, restored from a backup of the old one',
  rerun: 'Rerun',
  'rerun-after-wipe': 'Rerun after a wipe, restored from a backup',
  'cert-manager-gone': 'Rerun with cert-manager installed again',
};

/** What a run tells the workflow, also one that failed on the way. */
export function outputsOf(record: SetupRecord, operation: string, dryRun: boolean): Outputs {
  const { decision, restored, findings } = record;
  const plain = {
    case: decision?.case ?? '',
    mode: decision?.mode ?? '',
    orders: dryRun ? ordering(record.forecasts).length : record.newOrders.length,
    certificates: record.certificates.length,
    generation: restored?.context.generation ?? '',
    version: record.binary?.commit ?? '',
    fingerprint: record.fingerprint ?? '',
    findings: findings.length,
    finding: findings[0]?.code ?? '',
  };
  const details = {
    reasons: decision?.reasons ?? [],
    findings,
    forecast: record.forecasts,
    certificates: record.certificates,
    newOrders: record.newOrders,
    certManagerInstalled: record.certManagerInstalled,
    installer: record.installer && { code: record.installer.code, steps: record.installer.steps },
    binary: record.binary && { commit: record.binary.commit, version: record.binary.version },
    phases: record.phases,
  };
  return { result: JSON.stringify({ schema: resultSchema, operation, ...plain, ...details }), ...plain };
}

/** Findings as annotations of the step, the likeliest cause first. */
export function annotate(findings: readonly Finding[]): void {
  const write = { error: core.error, warning: core.warning, notice: core.notice };
  for (const { severity, code: name, subject, cause, evidence, remedy } of findings.slice(0, annotationLimit)) {
    write[severity](
      `${subject}: ${cause}\nseen: ${evidence.join('; ')}\nnext: ${remedy}\nmore: ${troubleshooting}#${name}`,
      {
        title: name,
      },
    );
  }
}

/** The summary of an installation: which case it was, the certificates before and after, what was found, how long it took. */
export function setupSummary(
  record: SetupRecord,
  { domain, dryRun, now }: { domain: string; dryRun: boolean; now: Date },
): Markdown {
  const { decision, forecasts, certificates, findings, installer } = record;
  const markdown = new Markdown().heading(
    `${dryRun ? 'Setup plan' : 'Setup'} of ${domain}: ${decision === undefined ? 'not begun' : cases[decision.case].toLowerCase()}`,
  );
  const errors = blocking(findings).length;
  if (dryRun && decision) {
    const due = ordering(forecasts).length;
    markdown.line(`🔍 **${due} certificate order${due === 1 ? '' : 's'}** would follow. Nothing was changed.`);
  } else if (installer !== undefined && installer.failed === undefined && certificates.length > 0 && errors === 0) {
    markdown.line(
      `✅ Installed and verified: **${record.newOrders.length} certificate order${record.newOrders.length === 1 ? '' : 's'}**, ${certificates.length} certificates Ready, all workloads rolled out, HTTPS seen from outside.`,
    );
  } else if (installer?.failed) {
    markdown.line(
      `❌ The platform’s installer failed${installer.failed.step === undefined ? '' : ` in its step ${code(installer.failed.step)}`}.`,
    );
  }
  if (decision) markdown.list(decision.reasons.map((reason) => `${reason}.`));
  findingsTable(markdown, findings);
  markdown.table(
    ['Certificate', 'Names', 'Issued by', 'Serial before', 'Serial now', 'Days left', 'Forecast'],
    certificateRows(record, now),
  );
  if (record.binary) {
    markdown.line(
      `Platform source ${code(record.binary.commit || 'unknown commit')}${record.certManagerInstalled ? '; cert-manager was installed again' : ''}${record.restored ? `; restored from generation ${record.restored.context.generation} in ${record.restored.source.store}` : ''}.`,
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
  return markdown.line(nextOf(record, dryRun));
}

/** The summary of a check. */
export function checkSummary(record: SetupRecord, world: World, domain: string): Markdown {
  const { findings, certificates } = record;
  const errors = blocking(findings).length;
  const markdown = new Markdown()
    .heading(`Check of ${domain}`)
    .line(
      errors === 0
        ? `✅ Nothing is wrong${findings.length === 0 ? '' : `; ${findings.length} thing${findings.length === 1 ? '' : 's'} worth knowing`}.`
        : `❌ **${errors} thing${errors === 1 ? ' is' : 's are'} wrong.** The first is the likeliest cause of the others.`,
    );
  findingsTable(markdown, findings);
  markdown.table(
    ['Name', 'DNS', 'Port 80', 'Port 443'],
    world.names.map(({ host, dns, http, tls }) => [
      code(host),
      dns === undefined
        ? 'not asked'
        : 'error' in dns
          ? `❌ ${escaped(dns.error)}`
          : dns.addresses.map(escaped).join('\n'),
      http === undefined
        ? '–'
        : 'error' in http
          ? `❌ ${escaped(http.error)}`
          : `${http.status} ${escaped(http.body.slice(0, 40))}`,
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
      daysLeft(one.notAfter, world.seen.now),
      one.ready ? '✅' : '❌',
    ]),
  );
  if (world.unseen.length > 0) {
    markdown.line('⚠️ **Not looked at**, as these credentials may not read it').list(world.unseen);
  }
  return markdown.line(
    errors === 0 ? '**Next:** nothing.' : `**Next:** ${escaped(blocking(findings)[0]?.remedy ?? '')}`,
  );
}

function findingsTable(markdown: Markdown, findings: readonly Finding[]): void {
  const mark = { error: '❌', warning: '⚠️', notice: 'ℹ️' };
  markdown.table(
    ['', 'Finding', 'Seen by', 'What to do'],
    findings.map(({ severity, code: name, subject, cause, evidence, remedy, confidence }) => [
      mark[severity],
      `**${escaped(subject)}**\n${escaped(cause)}${confidence === 'certain' ? '' : ` (${confidence})`}\n[${name}](${troubleshooting}#${name})`,
      evidence.map((line) => code(line)).join('\n'),
      withCode(remedy),
    ]),
  );
}

/** A remedy with its commands, which stand between backquotes, kept as code. */
function withCode(remedy: string): string {
  return remedy
    .split('`')
    .map((part, index) => (index % 2 === 1 ? code(part) : escaped(part)))
    .join('');
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
      before === undefined ? '–' : `${before.verdict}${before.verdict === 'keep' ? '' : `\n${escaped(before.reason)}`}`,
    ];
  });
}

function nextOf({ findings, installer, decision }: SetupRecord, dryRun: boolean): string {
  const [first] = blocking(findings);
  if (first) return `**Next:** ${withCode(first.remedy)}. Then run setup again: it goes on from what is there.`;
  if (dryRun && decision) return '**Next:** run `operation: install` without `dry-run`.';
  return installer && !installer.failed
    ? '**Next:** back up (`action-backup`), and run the smoke test.'
    : '**Next:** run setup again: it goes on from what is there.';
}
