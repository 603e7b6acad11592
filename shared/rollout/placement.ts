import { at, recordsAt, textAt, textsAt } from '../cluster/fields.js';
import type { KubeObject } from '../cluster/objects.js';

const cordoned = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

/**
 * The nodes that may get a pod of a workload, by what its template asks of a node: name, labels, affinity that is required, and
 * taints. What is only preferred, and what the nodes have free, is left out.
 */
export function nodesFor(workload: KubeObject, nodes: readonly KubeObject[]): KubeObject[] {
  const pod = at(workload, 'spec', 'template', 'spec');
  // A DaemonSet's controller lets its pods stay on nodes that are not Ready, short of something, or cordoned.
  const own = workload.kind === 'DaemonSet' ? /^node\.kubernetes\.io\// : undefined;
  return nodes.filter((node) => hasLabels(pod, node) && isNear(pod, node) && isTolerated(pod, node, own));
}

function hasLabels(pod: unknown, { metadata }: KubeObject): boolean {
  const name = textAt(pod, 'nodeName');
  const wanted = Object.entries(textsAt(pod, 'nodeSelector'));
  return (name === '' || name === metadata.name) && wanted.every(([key, value]) => metadata.labels?.[key] === value);
}

/** Whether one of the terms holds; a term without any expression holds for no node. */
function isNear(pod: unknown, { metadata: { name, labels = {} } }: KubeObject): boolean {
  const required = at(pod, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  if (required === undefined) return true;
  return recordsAt(required, 'nodeSelectorTerms').some((term) => {
    const [byLabel, byField] = [recordsAt(term, 'matchExpressions'), recordsAt(term, 'matchFields')];
    return (
      byLabel.length + byField.length > 0 &&
      byLabel.every((one) => matches(one, labels[textAt(one, 'key')])) &&
      byField.every((one) => matches(one, name))
    );
  });
}

function matches(expression: Record<string, unknown>, value: string | undefined): boolean {
  const values = Array.isArray(expression.values) ? expression.values.map(String) : [];
  switch (expression.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

function isTolerated(pod: unknown, node: KubeObject, own: RegExp | undefined): boolean {
  const tolerations = recordsAt(pod, 'tolerations');
  const taints = [
    ...recordsAt(node, 'spec', 'taints').filter(({ effect }) => effect !== 'PreferNoSchedule'),
    ...(at(node, 'spec', 'unschedulable') === true ? [cordoned] : []),
  ];
  return taints.every(
    (taint) =>
      own?.test(textAt(taint, 'key')) ||
      tolerations.some((one) => {
        const [key, effect] = [textAt(one, 'key'), textAt(one, 'effect')];
        const isOfKey = key === '' || key === taint.key;
        const isOfEffect = effect === '' || effect === taint.effect;
        const isOfValue = one.operator === 'Exists' || textAt(one, 'value') === textAt(taint, 'value');
        return isOfKey && isOfEffect && isOfValue && (key !== '' || one.operator === 'Exists');
      }),
  );
}
