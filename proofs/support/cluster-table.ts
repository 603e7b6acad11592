import { changeTable } from './page-table.js';
import type { Figures, Proof } from './proof.js';

/** A run of a proof on a lab of these versions. */
export interface ClusterRun {
  certManager: string;
  kubernetes: string;
  proof: Proof;
  figures: Figures;
  isSmall: boolean;
  isOk: boolean;
}

/** Puts what came of a proof on a cluster into docs/versions.md: a row for the cluster's versions, a column for the proof. */
export async function writeClusterRun(run: ClusterRun, proofs: readonly Proof[]): Promise<void> {
  const columns = proofs.filter(({ inTable }) => inTable !== undefined).map(({ name }) => name);
  await changeTable(['cert-manager', 'Kubernetes', ...columns], (rows) => withRun(rows, columns, run));
}

/** Pure: the rows with the run's cell, and a dash where nothing was run. */
export function withRun(
  rows: readonly (readonly string[])[],
  columns: readonly string[],
  { certManager, kubernetes, proof, figures, isSmall, isOk }: ClusterRun,
): string[][] {
  const isOwn = ([first, second]: readonly string[]): boolean => first === certManager && second === kubernetes;
  const [, , ...cells] = rows.find(isOwn) ?? [];
  const told = `${isOk ? '' : 'FAILED: '}${proof.inTable?.(figures)}${isSmall ? ' (small)' : ''}`;
  const row = columns.map((name, at) => (name === proof.name ? told : (cells[at] ?? '–')));
  return [...rows.filter((one) => !isOwn(one)).map((one) => [...one]), [certManager, kubernetes, ...row]];
}
