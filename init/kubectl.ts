import { shellWord } from '../shared/shell-word.js';
import type { Facts } from './repository-facts.js';

/**
 * `kubectl` for the cluster that was looked at, as a line for bash has it. The line may be pasted later, when the shell or the
 * kubeconfig is at another cluster: of two platforms one would get the other's secrets.
 */
export function kubectlAt({ kubeconfig, cluster }: Pick<Facts, 'kubeconfig' | 'cluster'>): string {
  const of = kubeconfig === '' ? '' : `KUBECONFIG=${shellWord(kubeconfig)} `;
  const at = 'context' in cluster && cluster.context !== '' ? ` --context ${shellWord(cluster.context)}` : '';
  return `${of}kubectl${at}`;
}
