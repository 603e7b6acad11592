import { textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import type { Finding } from '../finding.js';

/** What a finding about a workload says, without the workload. */
export type Cause = Pick<Finding, 'code' | 'cause' | 'evidence' | 'remedy'>;

/** What the warnings about an object say. */
export function eventsOf(object: KubeObject, warnings: readonly KubeObject[]): string[] {
  return warnings
    .filter((event) => textAt(event, 'involvedObject', 'uid') === object.metadata.uid)
    .map((event) => textAt(event, 'message'));
}
