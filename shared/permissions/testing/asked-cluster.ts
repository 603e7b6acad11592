import { ApiError } from '../../cluster/api-error.js';
import { type Cluster, openCluster } from '../../cluster/cluster.js';
import type { Transport } from '../../cluster/transport.js';
import type { Granted } from '../review.js';

/** A cluster of which only single calls are made. */
export function answeringCluster(call: Transport['call'], allowed?: Promise<void>): Cluster {
  const transport = {
    call,
    lines: () => {
      throw new Error('nothing is watched');
    },
    webSocket: () => {
      throw new Error('nothing is opened');
    },
    serverTime: () => undefined,
    calls: 0,
    close: async () => undefined,
  };
  return openCluster(transport, allowed);
}

/** A cluster that grants rules by namespace (`-`: everywhere), and counts its questions. */
export function askedCluster(
  byNamespace: Record<string, Granted[]>,
  { namespaces = [] as string[], deny = 0, allow = '' } = {},
) {
  const questions: string[] = [];
  const cluster = answeringCluster(async ({ path, body }) => {
    const spec = JSON.parse(body ?? '{}').spec ?? {};
    if (deny > 0) throw new ApiError(deny, 'Forbidden', 'no', path);
    questions.push(spec.namespace ?? spec.resourceAttributes?.verb ?? path);
    if (path.includes('rulesreviews')) {
      const rules = [
        ...(byNamespace['-'] ?? []),
        ...(spec.namespace === '-' ? [] : (byNamespace[spec.namespace] ?? [])),
      ];
      return answer({ kind: 'SelfSubjectRulesReview', metadata: {}, status: { resourceRules: rules } });
    }
    if (path.includes('accessreviews')) {
      return answer({
        kind: 'SelfSubjectAccessReview',
        metadata: {},
        status: { allowed: spec.resourceAttributes.verb === allow },
      });
    }
    const name = decodeURIComponent(path).match(/metadata\.name=([a-z-]+)/)?.[1] ?? '';
    const items = namespaces.includes(name) ? [{ metadata: { name } }] : [];
    return answer({ kind: 'NamespaceList', metadata: {}, items });
  });
  return { cluster, questions };
}

function answer(body: unknown): { status: number; body: string } {
  return { status: 200, body: JSON.stringify(body) };
}
