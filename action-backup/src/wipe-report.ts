import { code, Markdown, withCode } from '../../shared/action/markdown.js';
import { count, subjectOf, type WipeTarget } from '../../shared/wipe/targets.js';
import type { WipeResult } from '../../shared/wipe/wipe.js';
import type { Telltale } from './outputs.js';
import type { wipeTelling } from './result.js';

/** Rows of a summary that are shown; all of them are in the output `result`. */
const shown = 200;

/** Outputs, result and summary of a wipe. */
export function wipeReport(result: WipeResult, dryRun: boolean): Telltale<typeof wipeTelling> {
  const { plan, proof, start, seconds, refused } = result;
  const namespaces = plan.targets.filter(({ kind }) => kind.kind === 'Namespace');
  return {
    outputs: {
      ...(proof
        ? {
            generation: proof.context.generation,
            name: proof.name,
            stores: proof.stores.join(','),
            certificates: proof.context.inventory.certificates,
            'expires-at': proof.context.expiresAt,
          }
        : {}),
      wiped: dryRun ? namespaces.length : result.wiped,
      fingerprint: result.fingerprint,
    },
    details: {
      start,
      targets: plan.targets.map(({ uid, because, foreign, ...target }) => ({
        subject: subjectOf(target),
        uid,
        because,
        foreign,
      })),
      kept: plan.kept,
      warnings: plan.warnings,
      seconds,
      ...(refused === undefined ? {} : { refused }),
    },
    summary: wipeSummary(result, dryRun, namespaces),
  };
}

function wipeSummary(result: WipeResult, dryRun: boolean, namespaces: readonly WipeTarget[]): Markdown {
  const { domain, plan, proof, start, seconds, refused } = result;
  const others = plan.targets.length - namespaces.length;
  const what = `${count(namespaces.length, 'namespace')} and ${count(others, 'cluster-scoped or stray object')}`;
  const markdown = new Markdown().heading(`Wipe of ${domain}${dryRun ? ': dry run' : ''}`);
  if (start === 'nothing') markdown.line('✅ There is nothing to wipe.');
  else if (dryRun) markdown.line(`🔍 **${what}** would go. Nothing was stored or deleted.`);
  else markdown.line(`✅ **${what}** are gone. The cluster took ${seconds.wait} s for it.`);
  if (refused !== undefined) markdown.line(`❌ The wipe would be refused: ${withCode(refused)}`);
  if (plan.warnings.length > 0) markdown.line('⚠️ **Worth knowing**').list(plan.warnings);
  if (proof !== undefined) {
    markdown.line(
      `${start === 'resumed' ? 'It went on with a wipe that had not finished, on the backup of that one' : 'Before the first deletion it was proven that the stored backup is what the cluster held'}: generation ${proof.context.generation}, ${code(proof.name)}, in ${proof.stores.join(', ')}.`,
    );
  }
  const targets = new Markdown().table(
    ['Object', 'UID', 'Why', ''],
    plan.targets
      .slice(0, shown)
      .map((one) => [code(subjectOf(one)), code(one.uid), withCode(one.because), one.foreign ? '⚠️ not ours' : '']),
  );
  if (plan.targets.length > shown) targets.line(`…and ${plan.targets.length - shown} more: see the output \`result\`.`);
  const kept = new Markdown().table(
    ['Object', 'Why'],
    plan.kept.slice(0, shown).map(({ subject, why }) => [code(subject), withCode(why)]),
  );
  return markdown
    .details(`${dryRun ? 'Would go' : 'Gone'}: ${count(plan.targets.length, 'object')}`, targets)
    .details(`Left alone: ${plan.kept.length}`, kept)
    .line(next(result, dryRun));
}

function next({ domain, start, refused }: WipeResult, dryRun: boolean): string {
  if (refused !== undefined) return '**Next:** resolve what the refusal says, then look again.';
  if (dryRun && start !== 'nothing')
    return `**Next:** run it without \`dry-run\` and with ${code(`confirm: ${domain}`)}.`;
  return '**Next:** run action-setup: it restores first. By hand: `operation: restore`, then setup, and never the other way round.';
}
