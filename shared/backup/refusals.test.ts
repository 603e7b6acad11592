import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../cluster/objects.js';
import { keyOf } from '../cluster/objects.js';
import type { Anchor } from '../facts/anchor.js';
import { inventoryKeys, inventoryNames } from '../facts/anchor.js';
import type { LiveCertificate, Observation } from '../facts/observation.js';
import type { Reference } from '../facts/roles.js';
import type { LiveSecret } from '../facts/secrets.js';
import { excuses } from './excuses.js';
import { otherDomain, type Refusal, refusals } from './refusals.js';
import type { Known, PlanLine } from './restore-plan.js';
import type { CertificateRecord } from './snapshot.js';
import { day } from './testing/issued.js';
import { certificate, now, opaque, secretOf } from './testing/scene.js';

const web = certificate('registry', 'web');
const blog = certificate('blog', 'blog');
const tls = (of: typeof web): Reference => ({
  roles: ['tls'],
  namespace: of.metadata.namespace ?? '',
  name: of.spec.secretName,
  referrers: [
    { kind: 'Certificate', namespace: of.metadata.namespace ?? '', name: of.metadata.name, isOurs: of === web },
  ],
  required: true,
});

interface Given {
  certificates: (KubeObject & LiveCertificate)[];
  secrets: KubeObject[];
  references: Reference[];
  anchor: Partial<Anchor>;
  namespaces: string[];
}

function found({
  certificates = [web],
  secrets = [secretOf(web)],
  references = [],
  anchor,
  namespaces = [],
}: Partial<Given>): Refusal[] {
  const seen = {
    certificates,
    namespaces: namespaces.map((name) => ({ metadata: { name } })),
    requests: [],
    now,
    certManager: { version: 'v1.21.2', settings: { clusterResourceNamespace: 'cert-manager' } },
  } as unknown as Observation;
  const live = new Map(secrets.map((one) => [keyOf(one.metadata), one as unknown as LiveSecret]));
  return refusals(seen, references, live, anchor as Anchor | undefined, (namespace) => namespace === 'registry');
}

const told = (world: Partial<Given>): string[] =>
  found(world).map(({ rule, object, isForeign }) => `${rule} ${object}${isForeign ? ' (foreign)' : ''}`);
const issuing = { conditions: [{ type: 'Issuing', status: 'True' }] };

describe('a backup is refused', () => {
  it('of another platform than is meant, where that says whose it is', () => {
    const config = (domain?: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'mcp-sentinel-config' },
      data: domain === undefined ? {} : { MCP_PLATFORM_DOMAIN: domain },
    });
    expect(otherDomain(config('example.com'), 'staging.example.com')).toMatchObject([
      { rule: 'other-domain', isForeign: false, why: expect.stringContaining('that of example.com') },
    ]);
    for (const own of [config('Example.com'), config(''), config(), undefined]) {
      expect(otherDomain(own, 'example.com')).toEqual([]);
    }
  });

  it('for nothing where all is well', () => {
    expect(found({})).toEqual([]);
    expect(found({ references: [tls(web)] })).toEqual([]);
  });

  it('where there is no Certificate at all', () => {
    expect(found({ certificates: [], secrets: [] })).toEqual([
      expect.objectContaining({ rule: 'nothing-to-back-up', object: 'the cluster', names: [], isForeign: false }),
    ]);
  });

  it('where there is no Certificate, with setup as the way on, also after a restore', () => {
    const of = (...namespaces: string[]) => found({ certificates: [], secrets: [], namespaces })[0];
    expect(of('kube-system')).toMatchObject({
      why: 'it has no Certificate at all',
      next: expect.stringMatching(/before a first installation .* run setup first/),
    });
    expect(of('registry', 'mcp-sentinel')).toMatchObject({
      why: 'it has no Certificate at all, though there are namespaces registry and mcp-sentinel, as after a restore',
      next: expect.stringMatching(/^setup is due/),
    });
    expect(of('registry')?.why).toContain('though there is namespace registry,');
    expect(of('registry')?.next).not.toContain('first installation');
  });

  it('for a Secret that is needed and not there, by what needs it', () => {
    const [refusal] = found({ secrets: [], references: [tls(web)] });
    expect(refusal).toMatchObject({
      rule: 'secret-missing',
      object: 'Secret registry/web-tls',
      names: ['registry/web-tls', 'registry/web'],
      isForeign: false,
      why: expect.stringContaining('Certificate registry/web needs it'),
      next: expect.stringContaining('wait until cert-manager has issued it'),
    });
    expect(told({ certificates: [blog], secrets: [], references: [tls(blog)] })).toEqual([
      'secret-missing Secret blog/blog-tls (foreign)',
    ]);
    const both = { ...tls(blog), referrers: [...tls(blog).referrers, ...tls(web).referrers] };
    expect(told({ secrets: [secretOf(web)], references: [both] })).toEqual(['secret-missing Secret blog/blog-tls']);
    expect(found({ references: [{ ...tls(blog), required: false }] })).toEqual([]);
    const [credential] = found({ references: [{ ...tls(blog), roles: ['issuer-secret'] }] });
    expect(credential?.next).toBe('make it, or delete what refers to it');
  });

  it.each<[string, Partial<Given>, string]>([
    ['is being issued', { certificates: [{ ...web, status: issuing }] }, 'certificate-issuing'],
    ['is no pair', { secrets: [secretOf(web, { isBroken: true })] }, 'pair-mismatch'],
    [
      'cannot be read',
      { secrets: [opaque('registry', 'web-tls', { 'tls.crt': 'x', 'tls.key': 'y' })] },
      'pair-mismatch',
    ],
    ['has expired', { secrets: [secretOf(web, { age: 91 * day })] }, 'expired-certificate'],
    ['ends this moment', { secrets: [secretOf(web, { age: 90 * day })] }, 'expired-certificate'],
    [
      'would be replaced',
      { certificates: [certificate('registry', 'web', { dnsNames: ['new.example.com'] })] },
      'would-reissue',
    ],
  ])('for a certificate that %s', (_, world, rule) => {
    const [refusal, ...more] = found(world);
    expect(more).toEqual([]);
    expect(refusal).toMatchObject({
      rule,
      object: 'Certificate registry/web',
      names: ['registry/web', 'registry/web-tls'],
      isForeign: false,
    });
    expect([refusal?.why, refusal?.next]).not.toContain('');
  });

  it('for no renewal that is due, and no Certificate whose Secret another one owns', () => {
    expect(found({ secrets: [secretOf(web, { age: 70 * day })] })).toEqual([]);
    const other = certificate('registry', 'second', { secretName: 'web-tls', dnsNames: ['web.example.com'] });
    expect(told({ certificates: [web, other] })).toEqual([]);
  });

  it('for somebody else’s certificate as somebody else’s', () => {
    expect(told({ certificates: [blog], secrets: [secretOf(blog, { isBroken: true })] })).toEqual([
      'pair-mismatch Certificate blog/blog (foreign)',
    ]);
  });

  it('where an earlier backup holds more, but for what the platform makes anew', () => {
    const anchor = {
      generation: 7,
      inventory: inventoryNames([
        'registry/gone',
        'blog/gone',
        'cert-manager/gone',
        'registry/web-tls',
        'mcp-team-a/mcp-runtime-registry-pull',
        'mcp-team-a/other',
        'registry/mcp-runtime-registry-pull',
      ]),
    };
    expect(told({ anchor, references: [tls(web)] }).sort()).toEqual([
      'fewer-objects Secret blog/gone (foreign)',
      'fewer-objects Secret cert-manager/gone',
      'fewer-objects Secret mcp-team-a/other (foreign)',
      'fewer-objects Secret registry/gone',
      'fewer-objects Secret registry/mcp-runtime-registry-pull',
    ]);
    expect(found({ anchor, references: [tls(web)] })[0]).toMatchObject({
      names: [expect.stringMatching(/\//)],
      why: expect.stringContaining('generation 7'),
    });
    expect(inventoryKeys(anchor)).toContain('registry/gone');
    expect(inventoryKeys(undefined)).toEqual([]);
  });
});

describe('an order of a restore does not count', () => {
  const known = (of: typeof web, origin: Known['origin'] = 'explicit'): Known =>
    ({ certificate: of, origin, acme: true }) as Known;
  const record = (of: typeof web, accepted?: CertificateRecord['accepted']): CertificateRecord =>
    ({ metadata: of.metadata, spec: of.spec, ...(accepted ? { accepted } : {}) }) as CertificateRecord;
  const line = (of: typeof web, action: PlanLine['action'], reason = ''): PlanLine =>
    ({ item: { roles: ['tls'], object: secretOf(of) }, subject: '', action, reason }) as PlanLine;
  const why = (
    facts: Partial<Parameters<typeof excuses>[0]>,
    of: typeof web,
    reason = 'DoesNotExist',
    origin: Known['origin'] = 'explicit',
  ) =>
    excuses({ seen: { certificates: [] }, lines: [], records: [], installer: [], ...facts })(known(of, origin), reason);

  it('where it is a renewal, or the backup’s own has expired', () => {
    expect(why({ seen: { certificates: [web] } }, web, 'Renewing')).toBe('renewal');
    expect(why({ lines: [line(web, 'skip', 'the backup’s certificate is expired since 2020')] }, web)).toBe('renewal');
    expect(why({ lines: [line(web, 'skip', 'its team went')] }, web)).toBeUndefined();
    expect(why({ lines: [line(web, 'keep', 'the live certificate is expired')] }, web)).toBeUndefined();
  });

  it('where it is asked already and nothing is written for it', () => {
    expect(why({ seen: { certificates: [web] } }, web)).toBe('standing');
    expect(why({}, web, 'DoesNotExist', 'intent')).toBe('standing');
    expect(why({}, web)).toBeUndefined();
    expect(why({ seen: { certificates: [web] }, lines: [line(web, 'create')] }, web)).toBeUndefined();
  });

  it('where it had to be issued when the backup was made', () => {
    expect(why({ records: [record(web, 'would-reissue')] }, web)).toBe('before');
    expect(why({ records: [record(web)] }, web)).toBeUndefined();
    expect(why({ records: [record(blog, 'would-reissue')] }, web)).toBeUndefined();
  });

  it('but where this run’s installer is about to ask for it', () => {
    const installer = [record(web)];
    expect(why({ installer, seen: { certificates: [web] } }, web)).toBeUndefined();
    expect(why({ installer, records: [record(web, 'would-reissue')] }, web)).toBeUndefined();
    expect(why({ installer }, web, 'Renewing')).toBe('renewal');
  });
});
