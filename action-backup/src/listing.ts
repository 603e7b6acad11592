import { code, escaped, Markdown, withCode } from '../../shared/action/markdown.js';
import { originOf } from '../../shared/backup/choose-backup.js';
import { generationOf } from '../../shared/backup/stores/store.js';
import type { Survey, Surveyed } from '../../shared/backup/survey.js';
import { momentText } from '../../shared/moment.js';
import type { RunContext } from '../../shared/run-context.js';
import type { Telltale } from './outputs.js';
import type { listTelling } from './result.js';

/** Version of the output `backups`; it changes when a field changes its meaning or goes. */
const schema = 'mcprt.backups/1';
/** Rows of the summary; the output has all. */
const shown = 100;

/** Who looks, and with what. */
interface Looking {
  run: RunContext;
  /** Whether backups can be read, and not only their signatures. */
  hasKey: boolean;
  /** The trusted keys that sign backups, in the order in which they were given (see `keyId`). */
  signers: readonly string[];
  now: Date;
}

/** Outputs, result and summary of a list. */
export function listingReport(found: Survey, looking: Looking): Telltale<typeof listTelling> {
  const { run, hasKey } = looking;
  const { backups, foreign, foreignCount, unread } = found;
  const authentic = backups.filter(({ context }) => context !== undefined);
  const counts = {
    authentic: authentic.length,
    readable: hasKey ? authentic.filter(({ isReadable }) => isReadable).length : undefined,
    unusable: backups.filter(({ context }) => context === undefined).length,
    foreign: foreignCount,
  };
  const listed = {
    domain: run.domain,
    counts,
    backups: backups.map(record),
    foreign,
    unread: unread.map(({ store, error }) => ({ store, code: error.code, what: error.message, why: error.why })),
  };
  return {
    outputs: { backups: JSON.stringify({ schema, ...listed }) },
    details: listed,
    summary: summaryOf(found, looking),
  };
}

function record({ name, stores, context, isSigned, signer, isReadable, error }: Surveyed) {
  return {
    name,
    generation: context?.generation ?? generationOf(name),
    stores,
    authentic: context !== undefined,
    signer: signerOf(isSigned),
    ...(signer === undefined ? {} : { signedBy: signer }),
    readable: isReadable,
    ...(context === undefined
      ? {}
      : {
          createdAt: context.createdAt,
          expiresAt: context.expiresAt,
          cluster: context.fingerprint,
          repository: context.repository,
          repositoryId: originOf(context),
          certificates: context.inventory.certificates,
        }),
    ...(error === undefined ? {} : { code: error.code, why: error.message }),
  };
}

function signerOf(isSigned: boolean | undefined): 'known' | 'unknown' | 'not seen' {
  return isSigned === undefined ? 'not seen' : isSigned ? 'known' : 'unknown';
}

function summaryOf({ backups, foreign, foreignCount, unread, empty }: Survey, looking: Looking): Markdown {
  const { run, hasKey, signers } = looking;
  const markdown = new Markdown().heading(`Backups of ${run.domain}`);
  const isCut = unread.length > 0;
  if (backups.length === 0) {
    markdown.line(isCut ? '❌ None was seen, and not all could be looked at.' : '❌ There is none.');
    markdown.list(empty.map(({ store, where }) => `${store}: ${escaped(where)}`));
  }
  markdown.table(
    [
      'Generation',
      'Made',
      'Cluster',
      'Repository',
      'Signer',
      hasKey ? 'Can this key read it?' : 'Usable?',
      'Stores',
      'Name',
    ],
    backups.slice(0, shown).map((one) => row(one, looking)),
  );
  if (backups.length > shown) markdown.line(`…and ${backups.length - shown} more: see the output ${code('backups')}.`);
  if (signers.length > 1 && backups.length > 0) markdown.line(signersLine(backups, signers, isCut));
  if (unread.length > 0) {
    markdown
      .line('⚠️ **Not all was seen**')
      .list(unread.map(({ store, error }) => `${store}: ${error.message}: ${error.why} → ${error.next}`));
  }
  if (foreignCount > 0) {
    const lines = foreign.map(({ store, name, why }) => `${store}: ${name.slice(0, 120)}: ${why}`);
    markdown.details(
      `${foreignCount} ${foreignCount === 1 ? 'entry' : 'entries'} of that name that no backup job here has made`,
      new Markdown().list(
        foreignCount > foreign.length ? [...lines, `…and ${foreignCount - foreign.length} more`] : lines,
      ),
    );
  }
  return markdown.line(
    backups.some(({ error }) => error === undefined)
      ? `**Next:** \`operation: plan\` with the ${chooser(backups)} of one shows what a restore of it would do. Without it, the newest that can be used is taken.`
      : backups.length === 0 && isCut
        ? `**Next:** ${[...new Set(unread.map(({ error }) => error.next))].map((next) => withCode(next)).join('. ')}.`
        : backups.length === 0
          ? '**Next:** `operation: backup` makes the first one; or name the stores that have some.'
          : '**Next:** the reasons are in the table; each has an entry in troubleshooting.',
  );
}

/** After a change of keys: what tells whether the old one is still needed. */
function signersLine(backups: readonly Surveyed[], signers: readonly string[], isCut: boolean): string {
  const told = signers.map((signer, at) => {
    const count = backups.filter((one) => one.signer === signer).length;
    return `key ${at + 1} has signed ${count === 0 && !isCut ? 'none of these' : count}`;
  });
  return `Of the ${signers.length} keys in \`restore-key\`, ${told.join('; ')}.`;
}

/** By what one of them is chosen: several clusters and repositories have generations of the same number. */
function chooser(backups: readonly Surveyed[]): string {
  const generations = backups.map(({ name, context }) => context?.generation ?? generationOf(name));
  return new Set(generations).size < generations.length ? '`name`' : '`generation` or `name`';
}

function row(one: Surveyed, { run, hasKey, signers, now }: Looking): string[] {
  const { name, stores, context, isSigned, signer, isReadable, error } = one;
  const number = signers.length > 1 ? signers.indexOf(signer ?? '') + 1 : 0;
  const isOpen = context !== undefined && isReadable !== false;
  const good = isOpen ? [hasKey ? '✅ yes' : '✅ authentic'] : [];
  const trouble = error === undefined ? [] : [`${isOpen ? '⚠️' : '❌'} ${escaped(error.message)} (${code(error.code)})`];
  return [
    context ? String(context.generation) : `(${generationOf(name)})`,
    context ? momentText(new Date(context.createdAt), now) : '–',
    context ? code(context.fingerprint) : '–',
    context ? repositoryCell(context, run) : '–',
    { known: number > 0 ? `✅ key ${number}` : '✅ known', unknown: '❌ unknown', 'not seen': '–' }[
      signerOf(isSigned)
    ] ?? '–',
    [...good, ...trouble].join('\n'),
    stores.join(', '),
    code(name),
  ];
}

function repositoryCell(context: { repository: string; repositoryId: string }, { repositoryId }: RunContext): string {
  if (context.repositoryId === repositoryId) return 'this one';
  const [name, origin] = [escaped(context.repository), originOf(context)];
  return context.repository === origin ? name : `${name} (${code(origin)})`;
}
