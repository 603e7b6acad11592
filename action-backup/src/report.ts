import { daysLeft, issuerName, shortSerial } from '../../shared/action/format.js';
import { code, escaped, Markdown, withCode } from '../../shared/action/markdown.js';
import { type BackupResult, toldAtMost } from '../../shared/backup/backup.js';
import { type Overrides, withOrigin } from '../../shared/backup/choose-backup.js';
import type { FetchResult } from '../../shared/backup/fetch.js';
import type { Pruned } from '../../shared/backup/prune.js';
import type { HeldBackup } from '../../shared/backup/refresh.js';
import type { RestoreResult } from '../../shared/backup/restore.js';
import {
  type CertificateForecast,
  excuseWords,
  isCounted,
  isDue,
  type RestorePlan,
} from '../../shared/backup/restore-plan.js';
import type { CertificateRecord, Snapshot } from '../../shared/backup/snapshot.js';
import type { BackupContext } from '../../shared/backup/statement.js';
import { fateWarning, keptWords } from '../../shared/backup/stores/safety.js';
import type { VerifyResult } from '../../shared/backup/verify.js';
import { burst } from '../../shared/certificates/budget.js';
import { newestCertManager } from '../../shared/certificates/version.js';
import { keyOf } from '../../shared/cluster/objects.js';
import { hasRole } from '../../shared/facts/roles.js';
import { asSecret, leafOf } from '../../shared/facts/secrets.js';
import { momentText } from '../../shared/moment.js';

/**
 * The summary of a backup: what is in it, where it is, until when, and what to do with it.
 *
 * @param because why the one before could not stand; empty when nobody asked
 */
export function backupSummary(
  result: BackupResult,
  { dryRun, because, pruned, now }: { dryRun: boolean; because: string[]; pruned: Pruned[]; now: Date },
): Markdown {
  const { context, name, snapshot, stored } = result;
  const markdown = new Markdown()
    .heading(
      dryRun ? `Backup of ${context.domain}: dry run` : `Backup of ${context.domain}: generation ${context.generation}`,
    )
    .line(
      dryRun
        ? '🔍 This is what would be backed up. Nothing was stored.'
        : `✅ **${context.inventory.certificates} certificates** and ${context.inventory.secrets} Secrets are sealed, signed, stored and read back.`,
    )
    .table(
      ['Certificate', 'Names', 'Issued by', 'Serial', 'Days left'],
      snapshot.certificates.map((one) => recordRow(one, snapshot, now)),
    );
  if (because.length > 0) markdown.line('**Why now**').list(because);
  if (stored.length > 0) {
    markdown.table(
      ['Store', 'State', 'Kept until', 'Note'],
      stored.map(({ store, kept, error }) =>
        kept
          ? [
              store,
              `${kept.doubt === undefined ? '✅' : '⚠️'} read back and verified`,
              kept.until ? dateText(kept.until) : '–',
              [
                escaped(kept.notes.join('; ') || kept.where),
                ...(kept.doubt === undefined ? [] : [withCode(kept.doubt)]),
              ].join('\n'),
            ]
          : [
              store,
              `❌ ${withCode(error?.message ?? '')}`,
              '–',
              withCode(`${error?.why ?? ''} → ${error?.next ?? ''}`),
            ],
      ),
    );
  }
  const { warnings, leftOut } = result;
  if (leftOut.length > 0) {
    markdown.line(
      `⚠️ **${leftOut.length}** ${leftOut.length === 1 ? 'object is' : 'objects are'} left out, as a whole or in part.`,
    );
  }
  if (warnings.length > toldAtMost) {
    markdown.details(`All ${warnings.length} warnings`, new Markdown().list(warnings.slice(0, shownWarnings)));
  }
  const tidied = pruned.filter(({ removed, odd, error }) => removed.length + odd.length > 0 || error !== undefined);
  markdown.table(['Store', 'Deleted', 'Left alone'], tidied.map(prunedRow));
  return markdown
    .details('What it is bound to', contextTable({ ...context, recipients: [] }))
    .line(
      dryRun
        ? '**Next:** run it without `dry-run`.'
        : `**Next:** ${missingCopies(stored)} To bring it back: \`operation: restore\` before setup runs; ${lasts(code(name), context)}.`,
    );
}

/** All of them are in the output `result`. */
const shownWarnings = 100;

/** The summary of a backup that was not made, as the newest one can stand. */
export function heldSummary({ context, stores, name }: HeldBackup, now: Date): Markdown {
  return new Markdown()
    .heading(`Backup of ${context.domain}: generation ${context.generation} stands`)
    .line(
      `✅ Nothing that belongs into a backup has changed since it was made (${momentText(new Date(context.createdAt), now)}). ${escaped(stores.join(' and '))} gave it back just now, with a valid signature.`,
    )
    .details('What it is bound to', contextTable(context))
    .line(`**Next:** nothing. ${lasts(code(name), context)}.`);
}

/**
 * The summary of a plan or a restore.
 *
 * @param overrides how the backup was chosen: the next step of a plan is about that very one
 */
export function restoreSummary(
  result: RestoreResult,
  { dryRun, overrides, now }: { dryRun: boolean; overrides: Overrides; now: Date },
): Markdown {
  const { context, plan, source } = result;
  const refused = plan.lines.filter(({ action }) => action === 'refuse').length;
  const headline = dryRun
    ? plan.orders === 0 && refused === 0
      ? `🔍 A restore would order **nothing**${plan.lines.length === 0 ? ': no object of this backup is to be restored' : ''}. Nothing was written.`
      : `🔍 A restore would lead to **${plan.orders} order${plan.orders === 1 ? '' : 's'}** and refuse ${refused} object${refused === 1 ? '' : 's'}. Nothing was written.`
    : restoredLine(result);
  const markdown = new Markdown()
    .heading(`${dryRun ? 'Restore plan' : 'Restore'} of ${context.domain}: generation ${context.generation}`)
    .line(headline)
    .line(`Backed up ${momentText(new Date(context.createdAt), now)}; ${lasts('it', context)}.`)
    .table(
      ['Certificate', 'Names', 'Issued by', 'Serial', 'Days left', 'Verdict', 'Orders left this week, at most'],
      plan.certificates.map((one) => forecastRow(one, now)),
    );
  if (plan.warnings.length > 0) markdown.line('⚠️ **Worth knowing**').list(plan.warnings);
  const lines = new Markdown().table(['Object', 'Action', 'Reason'], objectRows(result, plan));
  if (plan.lines.length > 0) markdown.details(`${plan.lines.length} objects`, lines);
  return markdown
    .details(
      'Where it comes from',
      contextTable(context).line(
        `Read from ${source.store}: ${code(source.name)}. Digest of the plan: ${code(result.planDigest)}. cert-manager was ${result.certManager.state}${brakeWords[result.brake]}${result.takenOver ? '; it took over what a run before it had begun' : ''}.`,
      ),
    )
    .line(`**Next:** ${dryRun ? nextAfterPlan(result, overrides) : nextAfterRestore(result)}`);
}

/** The summary of a verification. */
export function verifySummary(result: VerifyResult, now: Date): Markdown {
  const { context, found, snapshot, decrypted, copies, together } = result;
  const holds = new Map(copies.map((copy) => [copy.store, keptWords(copy, now)]));
  const markdown = new Markdown()
    .heading(`Backup of ${context.domain}: generation ${context.generation}`)
    .line(
      `✅ Signature, context and digest are valid${decrypted ? ', and its content could be decrypted' : ''}. It was made ${momentText(new Date(context.createdAt), now)}.`,
    )
    .table(
      ['Store', 'State', 'Safe'],
      found
        .filter(({ standing }) => standing !== 'foreign')
        .map(({ store, name, backup, error }) => [
          store,
          backup
            ? `✅ generation ${backup.context.generation}`
            : `❌ ${withCode(`${name === '' ? '' : `${name}: `}${error?.message}: ${error?.why} → ${error?.next}`)}`,
          escaped((backup?.context.generation === context.generation ? holds.get(store) : undefined) ?? '–'),
        ]),
    );
  if (together !== undefined) markdown.line(`⚠️ ${withCode(fateWarning(together))}.`);
  if (snapshot) {
    markdown.table(
      ['Certificate', 'Names', 'Issued by', 'Serial', 'Days left'],
      snapshot.certificates.map((one) => recordRow(one, snapshot, now)),
    );
  }
  // What has just been warned of is what is next.
  const next = together === undefined ? 'nothing.' : 'name a store of another fate beside it in `stores`.';
  return markdown.details('What it is bound to', contextTable(context)).line(`**Next:** ${next}`);
}

/** The summary of a copy: where it lies, and that it is as sealed as it was. */
export function fetchSummary({ context, source, kept }: FetchResult, now: Date): Markdown {
  return new Markdown()
    .heading(`Copy of the backup of ${context.domain}: generation ${context.generation}`)
    .line(
      `✅ Signature, context and digest are valid. It was made ${momentText(new Date(context.createdAt), now)}; it came from ${source} and lies sealed in ${code(kept.where)}.`,
    )
    .details('What it is bound to', contextTable(context))
    .line('**Next:** keep it where nobody who can write to this repository can delete it, or drill it.');
}

/** How cert-manager was kept from ordering, after a clause about it. */
const brakeWords = {
  policy: '; orders were blocked while it wrote',
  'not-needed': '; no order had to be blocked',
  none: '',
} as const;

/** What is left to do for the stores that have no copy, or not as it was asked for. */
function missingCopies(stored: BackupResult['stored']): string {
  const wanting = stored.flatMap(({ store, kept, error }) => {
    if (error !== undefined) return [`${store} has no copy: ${error.next}`];
    return kept?.doubt === undefined ? [] : [`${store}: ${kept.doubt}`];
  });
  return wanting.length === 0 ? 'nothing.' : `${wanting.map((one) => withCode(one)).join('. ')}.`;
}

function prunedRow({ store, removed, odd, error }: Pruned): string[] {
  const left = odd.map((name) => `${code(name)}: not certainly a backup of this key`);
  return [
    store,
    removed.length === 0 ? '–' : removed.map(code).join('\n'),
    [...left, ...(error ? [`❌ ${withCode(`${error.message}: ${error.why} → ${error.next}`)}`] : [])].join('\n') || '–',
  ];
}

function nextAfterPlan({ context, plan, planDigest }: RestoreResult, overrides: Overrides): string {
  if (plan.lines.length === 0) return 'nothing, or choose another backup: `operation: list` shows which there are.';
  if (plan.orders > 0)
    return `see the reasons above; a restore stops unless \`max-orders\` is at least ${plan.orders}.`;
  if (plan.lines.some(({ action }) => action === 'refuse'))
    return 'resolve the reasons above; a restore writes nothing while an object is refused.';
  if (!isDue(plan)) return 'nothing to restore: what this backup has is there.';
  const { name, fromCluster, fromRepository } = overrides;
  // A name and a generation are two answers to one question, which no restore takes.
  const chosen = [
    name === undefined ? `generation: ${context.generation}` : `name: ${name}`,
    ...(fromCluster === undefined ? [] : [`from-cluster: ${fromCluster}`]),
    ...(fromRepository === undefined ? [] : [`from-repository: ${fromRepository}`]),
  ];
  return `run \`operation: restore\` with the same inputs, and with ${chosen.map(code).join(', ')}. ${code(`expect-plan: ${planDigest}`)} holds it to this plan.`;
}

/** What the restore leaves to others: it starts nothing that it has not stopped, and installs nothing. */
function nextAfterRestore(result: RestoreResult): string {
  const { namespace, state } = result.certManager;
  const steps = [
    ...(state === 'stopped'
      ? [`start cert-manager again: \`kubectl scale -n ${namespace} deploy/cert-manager --replicas=1\`.`]
      : []),
    ...(hasMadeNamespace(result)
      ? ['run setup, as whole namespaces were missing. It adopts the Secrets; do not restore again after it.']
      : result.takenOver
        ? [
            'run setup where the platform does not run yet: the restore before, which did not end, may have made whole namespaces. It adopts the Secrets.',
          ]
        : []),
  ];
  return steps.length === 0 ? 'nothing.' : steps.join(' Then ');
}

function hasMadeNamespace({ applied, plan }: RestoreResult): boolean {
  const namespaces = new Set(plan.lines.filter(({ item }) => hasRole(item, 'namespace')).map(({ subject }) => subject));
  return applied.some(({ subject, action }) => action === 'create' && namespaces.has(subject));
}

function restoredLine(result: RestoreResult): string {
  const count = written(result);
  const objects = count === 0 ? 'and no object had to be written' : `${count} object${count === 1 ? '' : 's'} written`;
  const orders = result.newOrders.length;
  return `✅ Restored and verified: **${orders} order${orders === 1 ? '' : 's'}** at the certificate authority, ${objects}.`;
}

function written({ applied }: RestoreResult): number {
  return applied.filter(({ action }) => action === 'create' || action === 'replace' || action === 'add-keys').length;
}

function objectRows({ applied }: RestoreResult, plan: RestorePlan): string[][] {
  const done = new Map(applied.map((one) => [one.subject, one]));
  return plan.lines.map(({ subject, action, reason }) => {
    const result = done.get(subject);
    return [code(subject), result?.action ?? action, withCode(result?.reason ?? reason)];
  });
}

function recordRow({ metadata, spec }: CertificateRecord, snapshot: Snapshot, now: Date): string[] {
  const key = keyOf({ namespace: metadata.namespace, name: spec.secretName });
  const item = snapshot.objects.find((one) => hasRole(one, 'tls') && keyOf(one.object.metadata) === key);
  const leaf = item && leafOf(asSecret(item.object), newestCertManager);
  const names = leaf ? [...leaf.names.dns, ...leaf.names.ip] : [...(spec.dnsNames ?? [])];
  return [
    code(keyOf(metadata)),
    names.map(escaped).join('\n'),
    escaped(issuerName(leaf?.issuerText)),
    shortSerial(leaf?.serial),
    daysLeft(leaf?.notAfter, now),
  ];
}

function forecastRow(one: CertificateForecast, now: Date): string[] {
  const verdict = {
    keep: '✅ keep',
    order: isCounted(one)
      ? '❌ order'
      : one.acme
        ? `⏳ ${excuseWords[one.excused ?? 'standing']}`
        : '🔁 reissue (own CA)',
    blocked: '⏸ blocked',
    'not-owner': '➖ not owner',
  }[one.verdict];
  const why =
    one.verdict === 'keep'
      ? one.drift.length > 0
        ? `at the next renewal: ${one.drift.join(', ')}`
        : ''
      : `${one.reason}: ${one.message}`;
  const budget = one.budget ? `${one.budget.left} of ${burst}` : '–';
  return [
    code(`${one.namespace}/${one.name}`),
    one.identifiers.map(escaped).join('\n'),
    escaped(issuerName(one.issuedBy)),
    shortSerial(one.serial),
    daysLeft(one.notAfter, now),
    why === '' ? verdict : `${verdict}\n${withCode(why)}`,
    budget,
  ];
}

function contextTable(context: BackupContext): Markdown {
  const rows: [string, string][] = [
    ['Repository', withOrigin(context.repository, context.repositoryId)],
    ['Run', `${context.runId} attempt ${context.runAttempt}, ${context.workflow}`],
    ['Cluster', context.fingerprint],
    ['Layout', context.layout],
    ['Made', context.createdAt],
    ['cert-manager', context.certManager],
  ];
  return new Markdown().table(
    ['', ''],
    rows.map(([name, value]) => [name, code(value)]),
  );
}

/** Until when a backup is of use. Without a certificate that was valid when it was made, nothing in it ends. */
function lasts(what: string, { createdAt, expiresAt }: Pick<BackupContext, 'createdAt' | 'expiresAt'>): string {
  return Date.parse(expiresAt) > Date.parse(createdAt)
    ? `${what} is good until ${dateText(new Date(expiresAt))}, when its last certificate expires`
    : `${what} holds no valid certificate, and does not expire`;
}

function dateText(date: Date): string {
  return date.toISOString().slice(0, 10);
}
