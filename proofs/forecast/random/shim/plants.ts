import type { Ingress } from '../../../../shared/certificates/model.js';
import { certManagerVersion } from '../../../../shared/certificates/version.js';
import { isRecord } from '../../../../shared/json.js';
import type { Judge } from '../contest.js';
import type { ShimQuestion } from './case.js';
import { ours } from './judge.js';

/** Faults that are planted in our side. Each must be found, or equality says nothing. */
export const plants: Readonly<Record<string, Judge<ShimQuestion>>> = {
  'rules of another version': (question, own) =>
    ours(question, certManagerVersion(own.atLeast(1, 19) ? 'v1.16.2' : 'v1.21.2')),
  'default issuer does not count': (question, own) => {
    const { defaultIssuerName: _, ...others } = question.settings;
    return ours({ ...question, settings: others }, own);
  },
  'only "true" is true': (question, own) =>
    ours(
      withAnnotations(question, (name, value) => /tls/.test(name) && value !== 'true'),
      own,
    ),
  'size of the key does not count': (question, own) =>
    ours(
      withAnnotations(question, (name) => name.endsWith('/private-key-size')),
      own,
    ),
  'a template that names a field twice is none': (question, own) =>
    ours(
      withAnnotations(question, (name, value) => name.endsWith('/secret-template') && /labels.*labels/i.test(value)),
      own,
    ),
  'a list on two lines is none': (question, own) =>
    ours(
      withAnnotations(question, (name, value) => name.includes('/subject-') && value.includes('\n')),
      own,
    ),
  'what is deleted still asks': (question, own) => {
    const { deletionTimestamp: _, finalizers: __, ...metadata } = question.ingress.metadata;
    return ours({ ...question, ingress: { ...question.ingress, metadata } }, own);
  },
  'a Secret named twice is named once': ({ ingress, ...others }, own) =>
    ours({ ...others, ingress: { ...ingress, spec: { tls: withoutDuplicates(ingress.spec.tls) } } }, own),
  'order of hosts does not count': ({ ingress, ...others }, own) =>
    ours({ ...others, ingress: { ...ingress, spec: { tls: sorted(ingress.spec.tls) } } }, own),
  'labels stay with the Ingress': ({ ingress, ...others }, own) =>
    ours({ ...others, ingress: { ...ingress, metadata: { ...ingress.metadata, labels: {} } } }, own),
  'a listener that lets through asks': (question, own) =>
    ours(
      withListeners(question, (one) => (isRecord(one.tls) ? { ...one, tls: { ...one.tls, mode: 'Terminate' } } : one)),
      own,
    ),
  'a protocol of somebody’s own is encrypted': (question, own) =>
    ours(
      withListeners(question, (one) => ({ ...one, protocol: 'HTTPS' })),
      own,
    ),
  'no listener is ignored': (question, own) =>
    ours(
      question.listeners === undefined
        ? question
        : withAnnotations(question, (name) => name.endsWith('/ignore-tls-listeners')),
      own,
    ),
};

function withListeners(
  { listeners, ...others }: ShimQuestion,
  change: (one: Record<string, unknown>) => Record<string, unknown>,
): ShimQuestion {
  return listeners === undefined ? others : { ...others, listeners: listeners.filter(isRecord).map(change) };
}

/** Without the annotations that are to be left out. */
function withAnnotations(
  { ingress, ...others }: ShimQuestion,
  isLeft: (name: string, value: string) => boolean,
): ShimQuestion {
  const kept = Object.entries(ingress.metadata.annotations ?? {}).filter(([name, value]) => !isLeft(name, value));
  return {
    ...others,
    ingress: { ...ingress, metadata: { ...ingress.metadata, annotations: Object.fromEntries(kept) } },
  };
}

type Blocks = NonNullable<Ingress['spec']['tls']>;

function withoutDuplicates(blocks: Blocks = []): Blocks {
  return [...Map.groupBy(blocks, ({ secretName }) => secretName)].flatMap(([, same]) => same.slice(0, 1));
}

function sorted(blocks: Blocks = []): Blocks {
  return blocks.map((block) => (block.hosts === undefined ? block : { ...block, hosts: [...block.hosts].sort() }));
}
