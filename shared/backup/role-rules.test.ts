import { describe, expect, it } from '@jest/globals';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import type { Role } from '../facts/roles.js';
import { covered, forbidden, onlyTlsKeys } from './role-rules.js';

const secret = (more: Partial<KubeObject> = {}, metadata: Partial<KubeObject['metadata']> = {}): KubeObject =>
  objectOf(kinds.secret, { metadata: { name: 'x', namespace: 'a', ...metadata }, type: 'Opaque', data: {}, ...more });
const managed = new Set(['team']);

describe('what a role covers', () => {
  it.each<[string, Role[], KubeObject, object]>([
    [
      'of a certificate only what cert-manager writes',
      ['tls'],
      secret({ data: { 'tls.crt': 'YQ==', 'key.der': 'YQ==', other: 'YQ==' } }),
      { data: { 'tls.crt': 'YQ==', 'key.der': 'YQ==' } },
    ],
    [
      'all of a Secret that others read too',
      ['ca-key', 'tls'],
      secret({ data: { 'tls.crt': 'YQ==', other: 'YQ==' } }),
      { data: { 'tls.crt': 'YQ==', other: 'YQ==' } },
    ],
    [
      'no variable that makes a program load code',
      ['platform-secret'],
      secret({ data: { JWT_SECRET: 'YQ==', LD_PRELOAD: 'YQ==', NODE_OPTIONS: 'YQ==', Https_Proxy: 'YQ==' } }),
      { data: { JWT_SECRET: 'YQ==' } },
    ],
    [
      'of the configuration only what is carried',
      ['platform-config'],
      objectOf(kinds.configMap, { metadata: { name: 'x', namespace: 'a' }, data: { OIDC_ISSUER: 'i', KAFKA: 'k' } }),
      { data: { OIDC_ISSUER: 'i' } },
    ],
    [
      'no label by which another controller takes a credential for its own',
      ['issuer-secret'],
      secret({}, { labels: { 'argocd.argoproj.io/secret-type': 'cluster', 'app.kubernetes.io/name': 'n' } }),
      { metadata: { labels: { 'app.kubernetes.io/name': 'n' } } },
    ],
    [
      'every label of a certificate',
      ['tls'],
      secret({}, { labels: { app: 'x' } }),
      { metadata: { labels: { app: 'x' } } },
    ],
    [
      'no annotation that holds the whole object',
      ['platform-secret'],
      secret({}, { annotations: { a: 'b', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }),
      { metadata: { annotations: { a: 'b' } } },
    ],
    [
      'by what the controller of a sealed Secret takes it over again',
      ['platform-secret'],
      secret(
        {},
        {
          annotations: { a: 'b' },
          ownerReferences: [{ apiVersion: 'bitnami.com/v1alpha1', kind: 'SealedSecret', name: 'x', uid: 'u' }],
        },
      ),
      { metadata: { annotations: { a: 'b', 'sealedsecrets.bitnami.com/managed': 'true' } } },
    ],
    [
      'of a namespace the platform’s labels and no annotation',
      ['namespace'],
      objectOf(kinds.namespace, {
        metadata: {
          name: 'n',
          labels: { 'istio-injection': 'on', 'pod-security.kubernetes.io/warn': 'x' },
          annotations: { a: 'b' },
        },
      }),
      { metadata: { name: 'n', labels: { 'pod-security.kubernetes.io/warn': 'x' } } },
    ],
  ])('%s', (_, roles, object, wanted) => {
    const { object: kept } = covered({ roles, object });
    expect(kept).toMatchObject(wanted);
    if ('data' in wanted) expect(kept.data).toEqual(wanted.data);
    if (roles[0] === 'namespace') expect(kept.metadata).toEqual((wanted as KubeObject).metadata);
  });

  it('names what it leaves out, once and for both sides', () => {
    const object = secret(
      { data: { 'tls.crt': 'YQ==', other: 'YQ==' } },
      { uid: 'u', resourceVersion: '1', managedFields: [] },
    );
    const once = covered({ roles: ['tls'], object });
    expect(once.leftOut).toEqual(['key other']);
    expect(covered({ roles: ['tls'], object: once.object })).toEqual({ object: once.object, leftOut: [] });
    expect(Object.keys(once.object.metadata)).toEqual(['name', 'namespace']);
  });
});

describe('what no restore writes', () => {
  it.each<[string, Role[], KubeObject]>([
    ['a service account’s token', ['issuer-secret'], secret({ type: 'kubernetes.io/service-account-token' })],
    ['a bootstrap token', ['issuer-secret'], secret({ type: 'bootstrap.kubernetes.io/token' })],
    ['a certificate of a type with another meaning', ['tls'], secret({ type: 'kubernetes.io/basic-auth' })],
    ['a Secret that the platform does not have', ['platform-secret'], secret()],
    [
      'the platform’s Secret in another role',
      ['tls'],
      secret({}, { name: 'mcp-sentinel-secrets', namespace: 'mcp-sentinel' }),
    ],
    [
      'a pull Secret in somebody’s namespace',
      ['platform-secret'],
      secret({}, { name: 'mcp-runtime-registry-pull', namespace: 'payments' }),
    ],
    [
      'a pull Secret that is none',
      ['platform-secret'],
      secret({ type: 'kubernetes.io/tls' }, { name: 'mcp-runtime-registry-pull', namespace: 'team' }),
    ],
    ['another kind', ['tls'], objectOf(kinds.configMap, { metadata: { name: 'x', namespace: 'a' } })],
    ['one object in roles of two kinds', ['namespace', 'tls'], secret()],
    [
      'another ConfigMap',
      ['platform-config'],
      objectOf(kinds.configMap, { metadata: { name: 'x', namespace: 'a' }, data: {} }),
    ],
  ])('%s', (_, roles, object) => {
    expect(forbidden({ roles, object }, managed)).toBeDefined();
  });

  it.each<[string, Role[], KubeObject]>([
    [
      'a certificate in the cluster’s own namespace',
      ['tls'],
      secret({ type: 'kubernetes.io/tls' }, { namespace: 'kube-system' }),
    ],
    ['a certificate in a Secret of somebody’s own type', ['tls'], secret({ type: 'example.com/any' })],
    [
      'a pull Secret of a team by its label',
      ['platform-secret'],
      secret({ type: 'kubernetes.io/dockerconfigjson' }, { name: 'mcp-runtime-registry-pull', namespace: 'team' }),
    ],
    [
      'the platform’s Secret that an issuer reads too',
      ['issuer-secret', 'platform-secret'],
      secret({}, { name: 'mcp-sentinel-secrets', namespace: 'mcp-sentinel' }),
    ],
    ['a namespace with any name', ['namespace'], objectOf(kinds.namespace, { metadata: { name: 'kube-prometheus' } })],
  ])('but %s', (_, roles, object) => {
    expect(forbidden({ roles, object }, managed)).toBeUndefined();
  });
});

it('of a certificate’s Secret, the keys that cert-manager writes are kept, keystores and formats included, and no other', () => {
  const formats = ['keystore.jks', 'truststore.jks', 'keystore.p12', 'truststore.p12', 'tls-combined.pem', 'key.der'];
  const own = Object.fromEntries(['tls.crt', 'tls.key', 'ca.crt', ...formats].map((key) => [key, 'eA==']));
  expect(onlyTlsKeys({ ...own, 'tls.crt.old': 'eA==', token: 'eA==' })).toEqual(own);
  expect(onlyTlsKeys(undefined)).toEqual({});
});
