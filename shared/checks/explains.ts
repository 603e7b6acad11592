import { McprtError } from '../errors.js';

/**
 * Errors by which the cluster keeps an operation from its end: something does not come, or is refused there, and a look at
 * the cluster may tell why. Every other error is its own cause (a wrong input, key, store or plan, a file or an address that
 * is not there, another operation under way), and whatever else is found on the cluster would only hide it.
 */
const ofTheCluster: readonly string[] = [
  'barrier-timeout',
  'brake-ineffective',
  'brake-unavailable',
  'certmanager-foreign',
  'certmanager-wait',
  'cluster-conflict',
  'cluster-invalid',
  'cluster-quota',
  'cluster-unavailable',
  'cluster-wait',
  'cluster-webhook-away',
  'cluster-webhook-refused',
  'restore-contended',
  'restore-ordered',
  'restore-refused',
  'restore-verify',
  'setup-failed',
  'wipe-recreated',
  'wipe-stuck',
];

/** Whether a look at the cluster may tell why an operation has failed so. @param also further codes, where one waits for the cluster */
export function isExplainedByCluster(error: unknown, also: readonly string[] = []): error is McprtError {
  return error instanceof McprtError && [...ofTheCluster, ...also].includes(error.code);
}
