import type { KubeObject } from '../../../shared/cluster/objects.js';
import { platformKinds } from '../resources.js';

/** The platform's kinds with what the operator needs of them: a status of its own, and the values that are refused. */
export function operatedKinds(): KubeObject[] {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const oneOf = (...values: string[]): Record<string, unknown> => ({ type: 'string', enum: values });
  const trust = oneOf('low', 'medium', 'high');
  const tool = {
    ...open,
    required: ['name', 'sideEffect'],
    properties: { requiredTrust: trust, sideEffect: oneOf('read', 'write', 'destructive') },
  };
  const server = {
    ...open,
    properties: {
      tools: { type: 'array', items: tool },
      policy: { ...open, properties: { mode: oneOf('allow-list', 'observe') } },
    },
  };
  return platformKinds().map((crd) => {
    const isServer = crd.metadata.name.startsWith('mcpservers.');
    const schema = {
      openAPIV3Schema: { type: 'object', properties: { spec: isServer ? server : open, status: open } },
    };
    const versions = [{ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} }, schema }];
    return { ...crd, spec: { ...(crd.spec as Record<string, unknown>), versions } };
  });
}
