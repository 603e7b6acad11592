import { at, numberAt, recordsAt, textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import { containerRoles } from '../../cluster/workloads.js';
import { type Cause, eventsOf } from './cause.js';
import { probeFailures } from './probe-causes.js';

/** Which init container or sidecar of a pod the others wait for; undefined when none is at work. */
export function firstCause(pod: KubeObject, warnings: readonly KubeObject[]): Cause | undefined {
  const roles = containerRoles(pod);
  const first = recordsAt(pod, 'status', 'initContainerStatuses').find(
    (status) =>
      at(status, 'state', 'running') !== undefined &&
      !(roles.get(textAt(status, 'name')) === 'sidecar' && status.started === true),
  );
  if (first === undefined) return undefined;
  const name = textAt(first, 'name');
  const role = roles.get(name) ?? 'init container';
  return {
    code: 'workload-not-ready',
    cause: `its ${role} ${name} has not ${role === 'sidecar' ? 'started' : 'ended'}`,
    evidence: [
      `pod ${pod.metadata.name}: ${role} ${name} runs since ${textAt(first, 'state', 'running', 'startedAt')}, ${numberAt(first, 'restartCount') ?? 0} restarts`,
      ...probeFailures([pod], warnings),
    ],
    remedy: `\`kubectl logs -n ${pod.metadata.namespace} ${pod.metadata.name} -c ${name}\``,
  };
}

/** What keeps a node from making a pod's volumes or network; undefined when nothing is told. */
export function setUpCause(pod: KubeObject, warnings: readonly KubeObject[]): Cause | undefined {
  const about = (reasons: RegExp): string => eventsOf(pod, warnings, reasons).at(-1) ?? '';
  const remedy = `\`kubectl describe pod -n ${pod.metadata.namespace} ${pod.metadata.name}\``;
  const mount = about(/^Failed(?:Mount|AttachVolume|MapVolume)$/);
  if (mount !== '') return { code: 'pod-config', cause: mountCause(pod, mount), evidence: [mount], remedy };
  const sandbox = about(/^FailedCreatePodSandBox$/);
  if (sandbox === '') return undefined;
  return { code: 'workload-not-ready', cause: 'its node cannot give its pod a network', evidence: [sandbox], remedy };
}

function mountCause(pod: KubeObject, message: string): string {
  const [, volume = ''] = /for volume "([^"]+)"/.exec(message) ?? [];
  const [, kind = '', missing] = /(secret|configmap|persistentvolumeclaim) "([^"]+)" not found/.exec(message) ?? [];
  const words: Record<string, string> = { secret: 'Secret', configmap: 'ConfigMap', persistentvolumeclaim: 'claim' };
  const head = `its volume${volume === '' ? '' : ` ${volume}`} cannot be mounted`;
  if (missing !== undefined) return `${head}: ${words[kind]} ${missing} is not there`;
  const [, key] = /references non-existent (?:secret|config) key: (\S+)/.exec(message) ?? [];
  const source = recordsAt(pod, 'spec', 'volumes').find(({ name }) => name === volume);
  const holder = textAt(source, 'secret', 'secretName')
    ? `Secret ${textAt(source, 'secret', 'secretName')}`
    : `ConfigMap ${textAt(source, 'configMap', 'name')}`;
  return key === undefined ? head : `${head}: ${source === undefined ? 'its source' : holder} has no key ${key}`;
}
