import { textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import type { Finding } from '../finding.js';

/** What a finding about a workload says, without the workload. */
export type Cause = Pick<Finding, 'code' | 'cause' | 'evidence' | 'remedy'>;

/** What the warnings about an object say. @param reasons for which they were given; all of them when left out */
export function eventsOf(object: KubeObject, warnings: readonly KubeObject[], reasons?: RegExp): string[] {
  return warnings
    .filter((event) => textAt(event, 'involvedObject', 'uid') === object.metadata.uid)
    .filter((event) => reasons === undefined || reasons.test(textAt(event, 'reason')))
    .map((event) => textAt(event, 'message'));
}
