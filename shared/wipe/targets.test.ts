import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../cluster/objects.js';
import { isClustersOwn } from '../platform/resources.js';
import type { WipeObservation } from './observe.js';
import { goesLast, planWipe, scopes, subjectOf, type WipeChoice } from './targets.js';

const object = (kind: string, name: string, rest: Partial<KubeObject> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  ...rest,
  metadata: { name, uid: `uid-${kind}-${name}`, ...rest.metadata },
});
const namespace = (name: string, labels: Record<string, string> = {}): KubeObject =>
  object('Namespace', name, { metadata: { name, uid: `uid-${name}`, labels } });
const calling = (namespaceName: string): Partial<KubeObject> => ({
  webhooks: [{ clientConfig: { service: { namespace: namespaceName, name: 'hook' } } }],
});
const bound = (name: string, ...namespaces: string[]): Partial<KubeObject> => ({
  roleRef: { kind: 'ClusterRole', name },
  subjects: namespaces.map((one) => ({ kind: 'ServiceAccount', name: 'a', namespace: one })),
});

const nothing = {
  namespaces: [],
  platformObjects: [],
  webhooks: [],
  clusterRoles: [],
  clusterRoleBindings: [],
  apiServices: [],
  volumes: [],
  issuers: [],
  groups: new Map(),
  canBrake: true,
};
const plan = (seen: object, choice: Partial<WipeChoice> = {}): ReturnType<typeof planWipe> =>
  planWipe({ ...nothing, ...seen } as unknown as WipeObservation, { scope: 'platform', also: [], ...choice });
const subjects = (seen: object, choice: Partial<WipeChoice> = {}): string[] =>
  plan(seen, choice).targets.map(subjectOf);

const names = ['kube-system', 'default', 'cert-manager', 'registry', 'mcp-team-a', 'mcp-teamwork', 'shop', 'traefik'];
const cluster = { namespaces: names.map((name) => namespace(name)) };

describe('planWipe', () => {
  it('takes namespaces of the platform by name, team prefix and label, and no look-alike', () => {
    expect(subjects(cluster)).toEqual(['Namespace registry', 'Namespace mcp-team-a']);
    const labelled = [
      namespace('a', { 'platform.mcpruntime.org/managed': 'true' }),
      namespace('b', { 'app.kubernetes.io/managed-by': 'mcp-runtime' }),
      namespace('c', { 'app.kubernetes.io/managed-by': 'Helm' }),
      namespace('d', { 'platform.mcpruntime.org/managed': 'false' }),
    ];
    expect(subjects({ namespaces: labelled })).toEqual(['Namespace a', 'Namespace b']);
  });

  it('takes every app in scope all-apps but cert-manager, and says which are not ours', () => {
    const { targets, warnings } = plan(cluster, { scope: 'all-apps' });
    expect(targets.map(({ name }) => name)).toEqual(['registry', 'mcp-team-a', 'mcp-teamwork', 'shop', 'traefik']);
    expect(warnings).toEqual(['3 namespaces not of MCP Runtime go too: mcp-teamwork, shop, traefik']);
  });

  it('has two scopes, of which the first is what is MCP Runtime’s', () => {
    expect(scopes).toEqual(['platform', 'all-apps']);
  });

  it('takes cert-manager only by name, and last', () => {
    const { targets } = plan(cluster, { also: ['cert-manager'] });
    expect(targets.map(({ name }) => name)).toEqual(['registry', 'mcp-team-a', 'cert-manager']);
    expect(targets.map(goesLast)).toEqual([false, false, true]);
  });

  it('never takes what is the cluster’s own, whatever its labels or the inputs say', () => {
    const managed = { 'platform.mcpruntime.org/managed': 'true' };
    const own = { namespaces: ['kube-system', 'kube-mcp', 'default'].map((name) => namespace(name, managed)) };
    expect(subjects(own, { scope: 'all-apps', also: ['kube-system', 'default'] })).toEqual([]);
    expect(['kube-system', 'kube-anything', 'default', 'kubeapps'].map(isClustersOwn)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('takes webhook configurations by name, and those of common names when they call the operator', () => {
    const webhooks = [
      object('MutatingWebhookConfiguration', 'mcp-runtime-mutating-webhook-configuration'),
      object('ValidatingWebhookConfiguration', 'validating-webhook-configuration', calling('mcp-runtime')),
      object('MutatingWebhookConfiguration', 'mutating-webhook-configuration', calling('shop')),
    ];
    expect(subjects({ webhooks })).toEqual([
      'MutatingWebhookConfiguration mcp-runtime-mutating-webhook-configuration',
      'ValidatingWebhookConfiguration validating-webhook-configuration',
    ]);
  });

  it('takes the binding of the platform’s administrators, a group, and tells which other bindings are left without a role', () => {
    const group = {
      roleRef: { kind: 'ClusterRole', name: 'mcp-runtime-api' },
      subjects: [{ kind: 'Group', name: 'g' }],
    };
    const seen = {
      clusterRoles: [object('ClusterRole', 'mcp-runtime-api'), object('ClusterRole', 'view')],
      clusterRoleBindings: [
        object('ClusterRoleBinding', 'mcp-sentinel-platform-admin', group),
        object('ClusterRoleBinding', 'of-the-operations-team', group),
        object('ClusterRoleBinding', 'viewers', bound('view', 'shop')),
      ],
    };
    expect(subjects(seen)).toEqual(['ClusterRole mcp-runtime-api', 'ClusterRoleBinding mcp-sentinel-platform-admin']);
    expect(plan(seen).warnings).toEqual([
      'ClusterRoleBinding of-the-operations-team stays and binds ClusterRole mcp-runtime-api, which goes',
    ]);
  });

  it('takes a role of a common name only when all that are bound to it go', () => {
    const clusterRoles = ['mcp-runtime-api', 'promtail', 'traefik-ingressclass', 'view'].map((name) =>
      object('ClusterRole', name),
    );
    const clusterRoleBindings = [
      object('ClusterRoleBinding', 'promtail', bound('promtail', 'mcp-sentinel')),
      object('ClusterRoleBinding', 'traefik-ingressclass', bound('traefik-ingressclass', 'mcp-sentinel', 'shop')),
    ];
    expect(subjects({ clusterRoles, clusterRoleBindings })).toEqual([
      'ClusterRole mcp-runtime-api',
      'ClusterRole promtail',
      'ClusterRoleBinding promtail',
    ]);
    // What else goes has no say in it.
    const more = [
      ...clusterRoleBindings,
      object('ClusterRoleBinding', 'mcp-sentinel-platform-admin', bound('view', 'shop')),
    ];
    expect(subjects({ clusterRoles, clusterRoleBindings: more })).toContain('ClusterRole promtail');
    const left = [...clusterRoleBindings, object('ClusterRoleBinding', 'logs', bound('mcp-runtime-api', 'shop'))];
    expect(plan({ clusterRoles, clusterRoleBindings: left }).warnings).toEqual([
      'ClusterRoleBinding logs stays and binds ClusterRole mcp-runtime-api, which goes',
    ]);
    const shared = [...clusterRoleBindings, object('ClusterRoleBinding', 'logs', bound('promtail', 'shop'))];
    expect(subjects({ clusterRoles, clusterRoleBindings: shared })).not.toContain('ClusterRole promtail');
  });

  it('takes the platform’s own objects in namespaces that stay, and leaves others to their namespace', () => {
    const at = (name: string, space: string): KubeObject =>
      object('MCPServer', name, { metadata: { name, namespace: space, uid: name } });
    const seen = { ...cluster, platformObjects: [at('a', 'shop'), at('b', 'registry')] };
    expect(subjects(seen)).toEqual(['MCPServer shop/a', 'Namespace registry', 'Namespace mcp-team-a']);
  });

  it('warns of what stays and calls what goes', () => {
    const apiServices = [object('APIService', 'v1.shop', { spec: { service: { namespace: 'shop', name: 's' } } })];
    const webhooks = [object('ValidatingWebhookConfiguration', 'shop', calling('shop'))];
    expect(plan({ ...cluster, apiServices, webhooks }).warnings).toEqual([]);
    expect(plan({ ...cluster, apiServices, webhooks }, { also: ['shop'] }).warnings).toEqual([
      '1 namespace not of MCP Runtime goes too: shop',
      'ValidatingWebhookConfiguration shop stays and calls namespace shop, which goes: what it matches will fail until it is deleted',
      'APIService v1.shop stays and calls namespace shop, which goes: what it matches will fail until it is deleted',
    ]);
  });

  it('does not warn of what goes itself', () => {
    const webhooks = [
      object('ValidatingWebhookConfiguration', 'validating-webhook-configuration', calling('mcp-runtime')),
      object('MutatingWebhookConfiguration', 'mutating-webhook-configuration', calling('mcp-runtime')),
      object('MutatingWebhookConfiguration', 'of-a-team', calling('mcp-runtime')),
    ];
    const namespaces = [namespace('mcp-runtime'), namespace('shop')];
    expect(plan({ namespaces, webhooks }).warnings).toEqual([
      expect.stringMatching(/^MutatingWebhookConfiguration of-a-team stays and calls namespace mcp-runtime, /),
    ]);
    const managed = { metadata: { name: '', labels: { 'platform.mcpruntime.org/managed': 'true' } } };
    const own = (name: string): KubeObject =>
      object('ClusterRoleBinding', name, {
        ...bound('of-a-tool', 'shop'),
        metadata: { ...managed.metadata, name, uid: name },
      });
    const clusterRoles = [object('ClusterRole', 'of-a-tool', { metadata: { ...managed.metadata, name: 'of-a-tool' } })];
    expect(plan({ clusterRoles, clusterRoleBindings: [own('a'), own('b')] }).warnings).toEqual([]);
  });

  it('takes a common name for somebody else’s where nothing can be told of whom it is about', () => {
    const named = (rest: object): object => ({
      webhooks: [
        object('ValidatingWebhookConfiguration', 'validating-webhook-configuration', rest as Partial<KubeObject>),
      ],
      clusterRoleBindings: [object('ClusterRoleBinding', 'promtail', rest as Partial<KubeObject>)],
    });
    const odd: object[] = [
      {},
      { webhooks: 'x', subjects: 'x' },
      { webhooks: [], subjects: [] },
      { webhooks: [null, 'x'], subjects: [null, 'x'] },
      {
        webhooks: [{ clientConfig: { url: 'https://hook' } }],
        subjects: [{ kind: 'User', name: 'u', namespace: 'registry' }],
      },
      {
        webhooks: [{ clientConfig: { service: 'x' } }, { clientConfig: { service: {} } }],
        subjects: [{ kind: 'ServiceAccount' }],
      },
    ];
    for (const rest of odd) expect(subjects(named(rest))).toEqual([]);
    const mixed = {
      webhooks: [...((calling('mcp-runtime').webhooks as unknown[]) ?? []), null],
      subjects: [{ kind: 'ServiceAccount', namespace: 'mcp-runtime' }, null],
    };
    expect(subjects(named(mixed))).toEqual([
      'ValidatingWebhookConfiguration validating-webhook-configuration',
      'ClusterRoleBinding promtail',
    ]);
    expect(subjects({ clusterRoles: [object('ClusterRole', 'promtail')] })).toEqual([]);
  });

  it('warns of what calls one namespace that goes among others that stay', () => {
    const [one, other] = [calling('shop'), calling('registry')];
    const webhooks = [
      object('ValidatingWebhookConfiguration', 'both', {
        webhooks: [...(one.webhooks as []), ...(other.webhooks as [])],
      }),
    ];
    expect(plan({ ...cluster, webhooks }).warnings).toEqual([
      expect.stringContaining('calls namespace registry, which'),
    ]);
  });

  it('warns of a name that is no namespace', () => {
    expect(plan(cluster, { also: ['shopp'] }).warnings).toEqual(['`also` names shopp, and there is no such namespace']);
  });

  it('marks what is leaving already', () => {
    const leaving = namespace('registry');
    leaving.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    expect(plan({ namespaces: [leaving] }).targets[0]?.leaving).toBe(true);
  });

  it('lists volumes that keep their data, and why everything else stays', () => {
    const spec = { persistentVolumeReclaimPolicy: 'Retain', claimRef: { namespace: 'registry', name: 'data' } };
    const elsewhere = { ...spec, claimRef: { namespace: 'shop', name: 'data' } };
    const volumes = Object.entries({
      pv: spec,
      free: {},
      unbound: { persistentVolumeReclaimPolicy: 'Retain' },
      deleted: { ...spec, persistentVolumeReclaimPolicy: 'Delete' },
      elsewhere,
    }).map(([name, one]) => object('PersistentVolume', name, { spec: one }));
    const { kept } = plan({ ...cluster, volumes });
    expect(kept.filter(({ subject }) => subject.startsWith('PersistentVolume'))).toHaveLength(1);
    expect(kept).toContainEqual({ subject: 'PersistentVolume pv', why: 'it retains the data of claim registry/data' });
    expect(kept).toContainEqual({ subject: 'Namespace shop', why: 'it is not MCP Runtime’s' });
    expect(kept).toContainEqual({ subject: 'Namespace kube-system', why: 'it is the cluster’s own' });
    expect(kept).toContainEqual({
      subject: 'Namespace cert-manager',
      why: 'it goes only when it is named in `also`',
    });
    const issuers = [
      object('ClusterIssuer', 'le', { spec: { acme: {} } }),
      object('ClusterIssuer', 'ca', { spec: {} }),
      object('Issuer', 'own', { spec: {} }),
    ];
    const groups = new Map([['mcpruntime.org', 'v1']]);
    expect(plan({ issuers, groups }).kept.map(({ subject, why }) => `${subject}: ${why}`)).toEqual([
      'ClusterIssuer le: setup adopts it; a new one could register a new account',
      'ClusterIssuer ca: setup adopts it',
      'CustomResourceDefinitions of mcpruntime.org: setup applies them again',
      'what setup changed on Traefik in kube-system: kube-system stays as it is',
    ]);
    expect(plan({}).kept).toHaveLength(1);
  });
});
