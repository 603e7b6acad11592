import { describe, expect, it } from '@jest/globals';
import { annotation, label } from '../certificates/model.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { asSecret, type LiveSecret } from '../facts/secrets.js';
import { unlabelledOf } from './labels.js';
import { certificate, namespace, type Scene, scene, secretOf } from './testing/scene.js';

const blog = certificate('blog', 'web');
const of = { namespace: 'blog', name: 'web' };
const ref = { namespace: 'blog', name: 'web-tls' };

function bare(object: KubeObject, more: Partial<LiveSecret> = {}): LiveSecret {
  const { labels: _, ...metadata } = object.metadata;
  return asSecret({ ...object, metadata, ...more });
}

describe('a Secret without cert-manager’s label', () => {
  const secret = bare(secretOf(blog));
  const { annotations: _, ...unmarked } = secret.metadata;
  const plain: LiveSecret = { ...secret, metadata: unmarked };

  it.each<[string, LiveSecret, ReadonlySet<string>, number]>([
    ['that says whose it is', secret, new Set(), 1],
    ['that a Certificate names', plain, new Set(['blog/web-tls']), 1],
    ['of nobody’s', plain, new Set(), 0],
    ['without a certificate', { ...secret, data: {} }, new Set(['blog/web-tls']), 0],
    [
      'on its way out',
      { ...secret, metadata: { ...secret.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
      new Set(),
      0,
    ],
    [
      'that has the label',
      { ...secret, metadata: { ...secret.metadata, labels: { [label.partOfCertManager]: 'true' } } },
      new Set(),
      0,
    ],
  ])('%s', (_case, live, claimed, count) => {
    expect(unlabelledOf([live], claimed)).toHaveLength(count);
  });

  /** @param backUp whether it is in the backup, or came afterwards */
  async function with_(state: 'running' | 'stopped', isSaved: boolean): Promise<Scene> {
    const made = await scene(state, isSaved ? [namespace('blog'), blog, secretOf(blog)] : []);
    await made.backUp();
    for (const object of [namespace('blog'), blog, secret]) made.api.put(object);
    return made;
  }
  const labelOf = ({ api }: Scene): string | undefined =>
    api.find(kinds.secret, ref)?.metadata.labels?.[label.partOfCertManager];

  it.each([
    ['running', true],
    ['stopped', true],
    ['stopped', false],
  ] as const)(
    'is warned of by a plan, and gets it before anything is restored (%s, saved: %s)',
    async (state, isSaved) => {
      const made = await with_(state, isSaved);
      made.api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
      const plan = await made.restore({ dryRun: true });
      expect(plan.plan.warnings.join()).toContain('Secret blog/web-tls lacks cert-manager’s label');
      expect(labelOf(made)).toBeUndefined();
      let before: string | undefined = 'nothing was restored';
      const { after: told } = made.api.hooks;
      made.api.hooks.after = (event, object, itself) => {
        told?.(event, object, itself);
        if (object.metadata.name === 'registry-tls') before = labelOf(made);
      };
      expect((await made.restore({ expectPlan: plan.planDigest })).verified).toBe(true);
      expect([labelOf(made), before]).toEqual(['true', 'true']);
      expect(made.api.find(kinds.secret, ref)?.metadata.annotations?.[annotation.certificateName]).toBe('web');
      expect((await made.restore({ dryRun: true })).plan.warnings).toEqual([]);
    },
  );

  it('is part of what is approved', async () => {
    const made = await with_('stopped', true);
    const { planDigest } = await made.restore({ dryRun: true });
    made.api.put(secretOf(blog));
    await expect(made.restore({ expectPlan: planDigest })).rejects.toMatchObject({ code: 'restore-plan-moved' });
  });

  it('has what cert-manager begins when it is labelled called off', async () => {
    const made = await with_('running', true);
    const { after: told } = made.api.hooks;
    made.api.hooks.after = (event, object, itself) => {
      told?.(event, object, itself);
      if (object.kind !== 'Secret' || object.metadata.name !== 'web-tls' || event !== 'MODIFIED') return;
      const conditions = ['Ready', 'Issuing'].map((type) => ({ type, status: 'True', reason: 'DoesNotExist' }));
      const live = itself.find(kinds.certificate, of);
      if (live !== undefined) itself.put({ ...live, status: { ...(live.status as object), conditions } });
    };
    await made.restore();
    const status = made.api.find(kinds.certificate, of)?.status as { conditions?: { type: string }[] } | undefined;
    expect(status?.conditions?.filter(({ type }) => type === 'Issuing')).toEqual([]);
  });
});
