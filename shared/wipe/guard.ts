import { McprtError } from '../errors.js';
import { isClustersOwn } from '../platform/resources.js';
import type { WipeObservation } from './observe.js';

/**
 * Refuses what can be told from the inputs alone.
 *
 * @throws McprtError `wipe-protected`, `wipe-confirm`
 */
export function guardInputs(inputs: {
  also: readonly string[];
  confirm: string;
  domain: string;
  dryRun: boolean;
}): void {
  const named = inputs.also.filter(isClustersOwn);
  if (named.length > 0) {
    throw new McprtError('wipe-protected', {
      what: `\`also\` names a namespace that is never wiped: ${named.join(', ')}`,
      why: 'without kube-system k3s has no DNS, no ingress and no storage, and cannot put them back by itself; default holds the API server’s own Service',
      next: 'take it out of `also`',
    });
  }
  if (!inputs.dryRun && inputs.confirm !== inputs.domain) {
    throw new McprtError('wipe-confirm', {
      what: '`confirm` is not the domain that is to be wiped',
      why: inputs.confirm === '' ? 'it is empty' : 'it names another one',
      next: `see with \`dry-run\` what a wipe would take; if it is the right cluster, set \`confirm: ${inputs.domain}\``,
    });
  }
}

/**
 * Refuses a cluster that is not the one that is meant.
 *
 * @param expected fingerprint that the cluster must have; any when empty
 * @throws McprtError `wipe-wrong-cluster`
 */
export function guardCluster(
  seen: Pick<WipeObservation, 'fingerprint' | 'installedDomain' | 'journal'>,
  { expected, domain }: { expected: string; domain: string },
): void {
  const wrong = (why: string): McprtError =>
    new McprtError('wipe-wrong-cluster', {
      what: 'this is not the cluster that is to be wiped',
      why,
      next: 'check kubeconfig, profile and `cluster`: one of them belongs to another cluster',
    });
  if (expected !== '' && expected !== seen.fingerprint) {
    throw wrong(`its fingerprint is ${seen.fingerprint}, and \`cluster\` says another`);
  }
  if (seen.installedDomain !== undefined && seen.installedDomain !== domain) {
    throw wrong(`the platform on it is that of ${seen.installedDomain}, and the profile says ${domain}`);
  }
  if (seen.journal !== undefined && seen.journal.domain !== domain) {
    throw wrong(`a wipe of ${seen.journal.domain} was begun on it, and the profile says ${domain}`);
  }
}

/**
 * Refuses to wipe a cluster that nothing tells from others: names of namespaces such as `registry` are common.
 *
 * @throws McprtError `wipe-wrong-cluster`
 */
export function guardUnknown(
  seen: Pick<WipeObservation, 'fingerprint' | 'installedDomain' | 'journal'>,
  expected: string,
): void {
  if (expected !== '' || seen.installedDomain !== undefined || seen.journal !== undefined) return;
  throw new McprtError('wipe-wrong-cluster', {
    what: 'nothing says whose platform is on this cluster',
    why: 'mcp-sentinel-config, which names its domain, is not there, and no wipe was begun here',
    next: `see with \`dry-run\` what a wipe would take; if this cluster is the one that is meant, set \`cluster: ${seen.fingerprint}\``,
  });
}
