import { daysLeft, shortSerial, spanText } from '../../shared/action/format.js';
import { code, escaped, Markdown, withCode } from '../../shared/action/markdown.js';
import type { DrilledCertificate } from './judge.js';
import type { DrillFinding, DrillResult } from './result.js';
import { count, isSameVersion } from './verdict.js';

/** The summary of a drill: what a recovery would cost, what is wrong, how long it takes. */
export function drillSummary(result: DrillResult, now: Date): Markdown {
  const { certificates, findings, seconds, versions, counts, issuers } = result;
  const markdown = new Markdown()
    .heading(`Restore drill of ${result.domain}: generation ${result.generation}`)
    .line(headline(result));
  for (const { code: name, what, why } of findings) {
    markdown.line(`❌ **${code(name)}** ${withCode(what)}`);
    if (!isTold(name)) markdown.list(why.split('\n'));
  }
  const troubled = certificates.filter(({ outcome }) => outcome !== 'kept');
  if (troubled.length > 0) {
    markdown
      .heading('What would not come back as it was', 3)
      .table(['Certificate', 'cert-manager says', 'Why', 'What to do'], troubled.map(troubleRow));
  }
  markdown.heading('Certificates', 3).table(
    ['Certificate', 'Names', 'Issuer', 'Serial', 'Days left', 'In the drill'],
    certificates.map((one) => certificateRow(one, now)),
  );
  if (!findings.some(({ code: name }) => name === 'drill-refused')) {
    markdown.heading('How long a recovery takes', 3).table(
      ['Step', 'Time'],
      [
        [`Restore of ${counts.secrets} Secrets in ${count(counts.namespaces, 'namespace')}`, timeText(seconds.restore)],
        ['cert-manager installed and running', timeText(seconds.certManager)],
        ['Until the last certificate that is kept is Ready', timeText(seconds.certificates)],
        ['**Total**', `**${timeText(seconds.total)}**`],
      ],
    );
  }
  const notes = notesOf(result);
  if (notes.length > 0) markdown.line('⚠️ **Worth knowing**').list(notes);
  return markdown
    .details(
      'The backup, and what stood in for the cluster',
      new Markdown().table(
        ['', ''],
        [
          ['Backup', code(result.name)],
          ['Made', `${code(result.createdAt)}, ${spanOf(result.age)} before the drill`],
          ['Cluster', code(result.fingerprint)],
          ['cert-manager then, and in the lab', `${code(versions.backup || 'none')}, ${code(versions.lab)}`],
          ['Orders foretold, and counted', `${result.forecast.orders}, ${result.orders}`],
          ...issuers.map((one) => [
            `${one.kind} ${code(one.name)}`,
            one.stand === 'left-out'
              ? `skipped: ${escaped(one.note)}`
              : `${one.stand === 'acme' ? 'the lab’s ACME server' : 'the restored CA'}${one.secret === undefined ? '' : `, with the restored key ${code(one.secret)}`}${one.ready ? '' : ', **not Ready**'}`,
          ]),
        ],
      ),
    )
    .line(`**Next:** ${result.ok ? 'nothing.' : withCode([...new Set(findings.map(({ next }) => next))].join('; '))}`);
}

/** The same for a terminal. */
export function drillText(result: DrillResult): string {
  const { seconds, certificates, findings, counts } = result;
  const lines = [
    `drill of ${result.domain}, generation ${result.generation}, made ${spanOf(result.age)} ago: ${result.ok ? 'ok' : 'FAILED'}`,
    `  ${count(result.orders, 'order')}, ${result.reissued} reissued, ${counts.kept} of ${count(counts.certificates, 'certificate')} kept`,
    `  recovery ${timeText(seconds.total)}: restore ${timeText(seconds.restore)}, cert-manager ${timeText(seconds.certManager)}, certificates ${timeText(seconds.certificates)}`,
    ...certificates
      .filter(({ outcome }) => outcome !== 'kept')
      .flatMap((one) => [
        `  ${one.outcome.toUpperCase()}  ${one.namespace}/${one.name} (${one.names.join(', ')}): ${one.reason}: ${one.message}`,
        `    why: ${one.explanation}`,
        `    next: ${one.next}`,
      ]),
    ...findings.flatMap(({ code: name, what, why, next }) => [
      `  ${name}: ${what}`,
      ...(isTold(name) ? [] : why.split('\n').map((line) => `    ${line}`)),
      `    next: ${next.replaceAll('\n', '; ')}`,
    ]),
    ...notesOf(result).map((note) => `  note: ${note}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Whether a finding's evidence is what the certificates' own lines say. */
function isTold(code: DrillFinding['code']): boolean {
  return code === 'drill-orders' || code === 'drill-not-ready';
}

function headline({ ok, counts, orders, reissued, seconds }: DrillResult): string {
  if (ok) {
    const kept =
      counts.kept === counts.certificates
        ? `All ${count(counts.certificates, 'certificate')}`
        : `${counts.kept} of ${count(counts.certificates, 'certificate')}`;
    return `✅ **0 orders.** ${kept} came back with the same serial numbers and are Ready, **${timeText(seconds.total)}** after the restore began.`;
  }
  return `❌ **This backup would not bring everything back.** In the drill it led to **${count(orders, 'order')}** at the ACME server${reissued === 0 ? '' : `, and other issuers reissued ${reissued}`}; ${counts.kept} of ${count(counts.certificates, 'certificate')} stayed as they were.`;
}

function notesOf({ certificates, issuers, versions }: DrillResult): string[] {
  return [
    ...(isSameVersion(versions.backup, versions.lab)
      ? []
      : [
          `the cluster ran cert-manager ${versions.backup} when it was backed up, and the lab runs ${versions.lab}: what differs between them is not drilled`,
        ]),
    ...issuers.flatMap((one) =>
      one.stand === 'left-out'
        ? [
            `${one.kind} ${one.name} was skipped: ${one.note}. Whether its certificates are kept is drilled all the same`,
          ]
        : [
            ...(one.note === '' ? [] : [`${one.kind} ${one.name}: ${one.note}`]),
            ...(one.ready
              ? []
              : [`${one.kind} ${one.name} did not become Ready with what was restored: it may renew nothing`]),
          ],
    ),
    ...certificates.flatMap((one) => one.notes.map((note) => `${one.namespace}/${one.name}: ${note}`)),
  ];
}

const marks: Record<DrilledCertificate['outcome'], string> = {
  kept: '✅ kept',
  ordered: '❌ ordered again',
  reissued: '❌ reissued',
  'not-owner': '➖ not owner',
  'not-ready': '❌ not Ready',
};

function certificateRow(one: DrilledCertificate, now: Date): string[] {
  return [
    code(`${one.namespace}/${one.name}`),
    one.names.map(escaped).join('\n'),
    escaped(one.issuer),
    shortSerial(one.serial),
    daysLeft(one.notAfter, now),
    marks[one.outcome],
  ];
}

function troubleRow(one: DrilledCertificate): string[] {
  return [
    `${code(`${one.namespace}/${one.name}`)}\n${marks[one.outcome]}`,
    `**${escaped(one.reason)}**\n${escaped(one.message)}`,
    withCode(one.explanation),
    withCode(one.next),
  ];
}

/** The parts of a recovery are short, and must add up. */
function timeText(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : spanText(seconds);
}

/** A backup's age for people: `40 min`, `9 hours`, `3 days`. */
function spanOf(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  if (hours === 0) return `${Math.floor(seconds / 60)} min`;
  return hours < 48 ? count(hours, 'hour') : `${Math.floor(hours / 24)} days`;
}
