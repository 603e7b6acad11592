import { describe, expect, it } from '@jest/globals';
import { lastWriter, ownFields, reconcilerOf } from './managers.js';
import { managed, workload } from './testing/objects.js';

const writtenBy = (...managedFields: Record<string, unknown>[]) =>
  workload('api', { api: 'i', side: 'j' }, { metadata: { managedFields } });

describe('lastWriter', () => {
  it('is the one who wrote the image of that container latest, wherever it stands in the list', () => {
    const live = writtenBy(
      managed('late', { time: '2026-01-02T00:00:00Z', images: ['api'] }),
      managed('early', { time: '2026-01-01T00:00:00Z', images: ['api'] }),
    );
    expect(lastWriter(live, 'api')).toEqual({ manager: 'late', time: '2026-01-02T00:00:00Z' });
  });

  it('is nobody who wrote another container, or another field of this one', () => {
    const live = writtenBy(managed('a', { images: ['side'] }), managed('b', { named: ['api'] }));
    expect(lastWriter(live, 'api')).toBeUndefined();
    expect(lastWriter(live, 'side')?.manager).toBe('a');
  });

  it('puts a writer without a time before one with a time', () => {
    const live = writtenBy(
      managed('timed', { time: '2026-01-01T00:00:00Z', images: ['api'] }),
      managed('timeless', { images: ['api'] }),
    );
    expect(lastWriter(live, 'api')?.manager).toBe('timed');
  });
});

describe('reconcilerOf', () => {
  it.each(['argocd-controller', 'ArgoCD-application-controller', 'kustomize-controller', 'helm-controller', 'flux'])(
    'knows that %s puts back what it manages',
    (manager) => {
      expect(reconcilerOf(writtenBy(managed(manager, { images: ['api'] })), 'api')?.manager).toBe(manager);
    },
  );

  it.each(['kubectl', 'helm', 'kubectl-set', 'mcprt', 'my-argocd'])('lets %s be', (manager) => {
    expect(reconcilerOf(writtenBy(managed(manager, { images: ['api'] })), 'api')).toBeUndefined();
  });

  it('does not mind one that looks after another container only', () => {
    expect(reconcilerOf(writtenBy(managed('argocd', { images: ['side'], named: ['api'] })), 'api')).toBeUndefined();
  });

  it('finds one although somebody else has written the image after it', () => {
    const live = writtenBy(
      managed('argocd', { time: '2026-01-01T00:00:00Z', images: ['api'] }),
      managed('kubectl', { time: '2026-01-02T00:00:00Z', images: ['api'] }),
    );
    expect(reconcilerOf(live, 'api')?.manager).toBe('argocd');
  });
});

describe('ownFields', () => {
  it('are the images and pull Secrets that mcprt has applied', () => {
    const live = writtenBy(
      managed('mcprt', { images: ['api'], named: ['side'], pullSecrets: ['pull'] }),
      managed('kubectl', { images: ['side'], pullSecrets: ['other'] }),
    );
    expect(ownFields(live)).toEqual({ containers: ['api'], pullSecrets: ['pull'] });
  });

  it('are those of init containers too', () => {
    const entry = { manager: 'mcprt', operation: 'Apply', fieldsV1: {} };
    const first = { 'k:{"name":"migrate"}': { 'f:image': {} } };
    const live = writtenBy({
      ...entry,
      fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': { 'f:initContainers': first } } } },
    });
    expect(ownFields(live).containers).toEqual(['migrate']);
    expect(lastWriter(live, 'migrate')?.manager).toBe('mcprt');
  });

  it('are not those that mcprt has written otherwise: the next apply does not take them away', () => {
    const live = writtenBy(managed('mcprt', { operation: 'Update', images: ['api'], pullSecrets: ['pull'] }));
    expect(ownFields(live)).toEqual({ containers: [], pullSecrets: [] });
  });

  it('are none of a workload that mcprt has never written', () => {
    expect(ownFields(workload('api', { api: 'i' }))).toEqual({ containers: [], pullSecrets: [] });
  });
});
