import type { Ingress } from '../../../../shared/certificates/model.js';
import { certManagerVersion } from '../../../../shared/certificates/version.js';
import type { Judge } from '../contest.js';
import type { ShimQuestion } from './case.js';
import { ours } from './judge.js';

/** Faults that are planted in our side. Each must be found, or equality says nothing. */
export const plants: Readonly<Record<string, Judge<ShimQuestion>>> = {
  'rules of another version': (question, own) =>
    ours(question, certManagerVersion(own.atLeast(1, 19) ? 'v1.16.2' : 'v1.21.2')),
  'default issuer does not count': ({ ingress, settings }, own) => {
    const { defaultIssuerName: _, ...others } = settings;
    return ours({ ingress, settings: others }, own);
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
  'what is deleted still asks': ({ ingress, settings }, own) => {
    const { deletionTimestamp: _, finalizers: __, ...metadata } = ingress.metadata;
    return ours({ ingress: { ...ingress, metadata }, settings }, own);
  },
  'a Secret named twice is named once': ({ ingress, settings }, own) =>
    ours({ ingress: { ...ingress, spec: { tls: withoutDuplicates(ingress.spec.tls) } }, settings }, own),
  'order of hosts does not count': ({ ingress, settings }, own) =>
    ours({ ingress: { ...ingress, spec: { tls: sorted(ingress.spec.tls) } }, settings }, own),
  'labels stay with the Ingress': ({ ingress, settings }, own) =>
    ours({ ingress: { ...ingress, metadata: { ...ingress.metadata, labels: {} } }, settings }, own),
};

/** Without the annotations that are to be left out. */
function withAnnotations(
  { ingress, settings }: ShimQuestion,
  isLeft: (name: string, value: string) => boolean,
): ShimQuestion {
  const kept = Object.entries(ingress.metadata.annotations ?? {}).filter(([name, value]) => !isLeft(name, value));
  return {
    ingress: { ...ingress, metadata: { ...ingress.metadata, annotations: Object.fromEntries(kept) } },
    settings,
  };
}

type Blocks = NonNullable<Ingress['spec']['tls']>;

function withoutDuplicates(blocks: Blocks = []): Blocks {
  return [...Map.groupBy(blocks, ({ secretName }) => secretName)].flatMap(([, same]) => same.slice(0, 1));
}

function sorted(blocks: Blocks = []): Blocks {
  return blocks.map((block) => (block.hosts === undefined ? block : { ...block, hosts: [...block.hosts].sort() }));
}
