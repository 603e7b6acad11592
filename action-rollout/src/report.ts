import { findingsTable } from '../../shared/action/findings.js';
import { spanText } from '../../shared/action/format.js';
import { phasesGantt } from '../../shared/action/gantt.js';
import { code, escaped, Markdown, narrowCode, withCode } from '../../shared/action/markdown.js';
import type { Told } from '../../shared/action/result.js';
import { blocking } from '../../shared/checks/finding.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import type { Phase } from '../../shared/phases.js';
import { referenceOf, type WantedImage } from '../../shared/rollout/plan.js';
import { phaseNames, type RolloutRecord } from '../../shared/rollout/record.js';
import type { rolloutTelling } from './result.js';

type Tells = Told<typeof rolloutTelling>;

export interface Ending {
  failure: { error: unknown } | undefined;
  /** Whether no Secret was looked at: such a plan is not whole, and nobody can approve it. */
  isBlind: boolean;
}

/** What a run tells the workflow, also one that failed on the way. */
export function outputsOf(
  record: RolloutRecord,
  { operation, platform, failure, isBlind }: Ending & { operation: string; platform: string },
): Tells {
  const { plan, rolledBack } = record;
  const isPutBack = rolledBack !== undefined && rolledBack.failed.length === 0;
  const isApplied = operation === 'rollout' && hasWritten(record);
  const images = Object.fromEntries(
    record.images.map((image) => [`${image.target.deployment}/${image.target.container}`, referenceOf(image)]),
  );
  const plain: Tells['outputs'] = {
    plan: isBlind ? '' : (plan?.digest ?? ''),
    changes: plan?.changes.length ?? 0,
    changed: `${isApplied && !isPutBack}`,
    images: JSON.stringify(images),
    layout: record.layout === 'unknown' ? '' : record.layout,
    'rolled-back': `${isPutBack}`,
    url: `https://${platform}`,
    fingerprint: record.fingerprint,
    finding: record.findings[0]?.code ?? '',
  };
  const details: Tells['details'] = {
    ok: failure === undefined,
    images,
    commit: record.commit,
    changes: plan?.changes ?? [],
    writes: record.writes,
    resumed: record.isResumed,
    running: record.running,
    endpoints: record.endpoints.map(({ endpoint, status, problem }) => ({
      url: `https://${endpoint.host}${endpoint.path}`,
      status: status ?? null,
      problem,
    })),
    policiesPatched: record.policiesPatched,
    rolledBack: rolledBack && {
      restored: rolledBack.restored,
      left: rolledBack.left,
      failed: rolledBack.failed,
      verified: record.isRollbackVerified,
      seconds: record.rollbackCost?.seconds ?? 0,
      podsStarted: record.rollbackCost?.podsStarted ?? null,
    },
    findings: record.findings,
    phases: record.phases,
  };
  return { outputs: plain, details };
}

/** The summary of a rollout or a plan: what changes, what runs, what was seen from outside, and when. */
export function rolloutSummary(
  record: RolloutRecord,
  { domain, isPlan, failure, isBlind }: Ending & { domain: string; isPlan: boolean },
): Markdown {
  const { plan, rolledBack } = record;
  const markdown = new Markdown().heading(
    `${isPlan ? 'Rollout plan' : 'Rollout'} of ${domain}${record.layout === 'unknown' ? '' : ` (${record.layout})`}`,
  );
  for (const line of headline(record, isPlan, failure)) markdown.line(line);
  if (isBlind)
    markdown.line(
      'A smaller plan: no Secret was looked at, so that the registry could not be asked which images it has, and the pull Secret was not compared. The whole plan is made on the default branch.',
    );
  findingsTable(markdown, record.findings);
  if (rolledBack !== undefined) rolledBackTable(markdown, rolledBack);
  if (!isPlan && failure === undefined) markdown.table(['Runs now', 'Image', 'Pods'], runningRows(record));
  if (!isPlan) endpointTable(markdown, record.endpoints, failure !== undefined);
  const rows = (plan?.changes ?? []).map(({ subject, field, from, to, reason }) => [
    `${code(subject)}\n${escapedLines(field)}\n*${escaped(reason)}*`,
    `${shortValue(from)}\n→ ${shortValue(to)}`,
  ]);
  const header = ['What and why', isPlan ? 'Now → then' : 'Before → after'];
  if (isPlan) markdown.table(header, rows);
  else if (rows.length > 0) markdown.details(`Changes: ${rows.length}`, new Markdown().table(header, rows));
  if (record.phases.length > 0) {
    const total = Math.max(...record.phases.map(({ from, seconds }) => from + seconds));
    markdown.details(`Timeline: ${spanText(total)}`, timeline(record.phases));
  }
  return markdown.line(nextOf(record, isPlan, failure));
}

/** Open where something is to be done about it. */
function rolledBackTable(
  markdown: Markdown,
  { restored, left, failed }: NonNullable<RolloutRecord['rolledBack']>,
): void {
  const table = new Markdown().table(
    ['Rolled back', ''],
    [
      ...restored.map((one) => [code(one), '✅']),
      ...left.map((one) => [code(one), '⚠️ left: somebody else has written it since']),
      ...failed.map((one) => [escaped(one), '❌']),
    ],
  );
  if (left.length + failed.length > 0) markdown.line(table.text());
  else if (restored.length > 0) markdown.details(`Rolled back: ${restored.length}`, table);
}

/** What answers from outside; folded away where that is not why a rollout failed. */
function endpointTable(markdown: Markdown, endpoints: RolloutRecord['endpoints'], hasFailed: boolean): void {
  const table = new Markdown().table(
    ['Seen from outside', 'Answer', ''],
    endpoints.map(({ endpoint, status, problem }) => [
      code(`https://${endpoint.host}${endpoint.path}`),
      status === undefined ? '–' : status === 401 ? '401, as it asks for a login' : String(status),
      problem === '' ? '✅' : `❌ ${escaped(problem)}`,
    ]),
  );
  if (endpoints.length === 0) return;
  if (hasFailed && endpoints.every(({ problem }) => problem === '')) {
    markdown.details(`Seen from outside: ${endpoints.length} addresses answer`, table);
  } else markdown.line(table.text());
}

function headline(record: RolloutRecord, isPlan: boolean, failure: Ending['failure']): string[] {
  const changes = record.plan?.changes.length ?? 0;
  const told = `${changes} change${changes === 1 ? '' : 's'}`;
  if (failure !== undefined) {
    const { error } = failure;
    const name = error instanceof McprtError ? ` ${code(error.code)}` : '';
    return [`❌ **${escaped(messageOf(error))}.**${name}${foundBehind(error, record.findings)}`, aftermath(record)];
  }
  if (isPlan) {
    return [
      changes === 0 ? '✅ **Nothing would be changed.**' : `🔍 **${told}** would be made. Nothing was changed.`,
      `Plan ${code(record.plan?.digest ?? '')}`,
    ];
  }
  if (!hasWritten(record)) return ['✅ **Nothing had to be changed**: what is wanted runs already. 0 writes.'];
  return [
    `✅ **Rolled out and verified: ${told}**, ${record.writes} writes${record.policiesPatched > 0 ? `, ${record.policiesPatched} NetworkPolicies` : ''}${record.isResumed ? '; went on with a rollout that was cut off' : ''}.`,
  ];
}

/** What was found that may be why, where the error that ended the rollout is not that already. */
function foundBehind(error: unknown, findings: RolloutRecord['findings']): string {
  const [first] = blocking(findings);
  const cause = first === undefined ? '' : `${first.subject}: ${first.cause}`;
  return messageOf(error).includes(cause) ? '' : ` Likely because: **${escaped(cause)}.**`;
}

/** What the cluster is like after a rollout that failed. */
function aftermath({ rolledBack, isRollbackVerified, plan, ...record }: RolloutRecord): string {
  if (rolledBack === undefined) {
    return hasWritten({ rolledBack, isRollbackVerified, plan, ...record })
      ? '⚠️ The cluster was left as the rollout left it.'
      : 'Nothing was changed in the cluster.';
  }
  const cost = costText(record.rollbackCost);
  if (rolledBack.failed.length > 0) return `❌ **Not everything could be rolled back**${cost}.`;
  return isRollbackVerified
    ? `↩️ **Rolled back: what was there before runs again**${cost}.`
    : `↩️ Rolled back${cost}; what was there before has not been seen to run yet.`;
}

/** What a rollback has cost, as the end of a sentence. */
function costText(cost: RolloutRecord['rollbackCost']): string {
  if (cost === undefined) return '';
  const { seconds, podsStarted } = cost;
  const pods =
    podsStarted === undefined ? '' : `; ${podsStarted} pod${podsStarted === 1 ? ' was' : 's were'} restarted for it`;
  return ` after ${spanText(seconds)}${pods}`;
}

function hasWritten({ writes }: RolloutRecord): boolean {
  return writes > 0;
}

function runningRows(record: RolloutRecord): string[][] {
  return record.images.map((image) => {
    const pods = record.running.filter(
      ({ deployment, container }) => deployment === image.target.deployment && container === image.target.container,
    );
    return [code(image.target.deployment), shortValue(referenceOf(image)), `${pods.length} ${originOf(image)}`];
  });
}

function originOf({ origin }: WantedImage): string {
  return origin === 'given' ? '' : `(${origin})`;
}

function shortValue(text: string): string {
  return text === '' ? '–' : narrowCode(text);
}

function escapedLines(text: string): string {
  return text.split('\n').map(escaped).join('\n');
}

/** Phases that cost something and give nothing. */
const backwards = [phaseNames.putBack, phaseNames.seeBack];

function timeline(phases: readonly Phase[]): Markdown {
  return new Markdown().line(phasesGantt(phases, backwards)).table(
    ['Phase', 'Began after', 'Took'],
    phases.map(({ name, from, seconds }) => [escaped(name), spanText(from), spanText(seconds)]),
  );
}

function nextOf(record: RolloutRecord, isPlan: boolean, failure: Ending['failure']): string {
  if (failure !== undefined) {
    const { error } = failure;
    return error instanceof McprtError ? `**Next** ${error.next.split('\n').map(withCode).join('<br>')}` : '';
  }
  if (!isPlan) return '';
  return (record.plan?.changes.length ?? 0) === 0
    ? ''
    : `**Next** have it approved, and give the digest to the rollout as ${code('expect-plan')}.`;
}
