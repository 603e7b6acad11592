import { describe, expect, it } from '@jest/globals';
import { managedPart, wantedConfig, wantedPullSecret } from './wanted.js';

const hosts = { registry: 'registry.example.com', mcp: 'mcp.example.com', platform: 'platform.example.com' };
const profile = (values: Readonly<Record<string, string>> = {}) => new Map(Object.entries(values));

describe('managedPart', () => {
  it('is what a rollout looks after, also where it is empty, and nothing else', () => {
    const data = { MCP_REGISTRY_ENDPOINT: '', PLATFORM_TRAEFIK_NAMESPACE: 'kube-system', API_BASE: '/api' };
    expect(managedPart(data)).toEqual({ PLATFORM_TRAEFIK_NAMESPACE: 'kube-system', MCP_REGISTRY_ENDPOINT: '' });
  });
});

describe('wantedConfig', () => {
  const whole = {
    PLATFORM_TRAEFIK_NAMESPACE: 'kube-system',
    PLATFORM_TEAM_TRAEFIK_WATCH: 'disabled',
    MCP_REGISTRY_ENDPOINT: 'registry.example.com',
    MCP_REGISTRY_INGRESS_HOST: 'registry.example.com',
  };

  it('gives what is missing, or empty, the value that k3s’ Traefik and the public registry need', () => {
    expect(wantedConfig(profile(), hosts, {})).toEqual(whole);
    expect(wantedConfig(profile(), hosts, { MCP_REGISTRY_ENDPOINT: '', PLATFORM_TRAEFIK_NAMESPACE: '' })).toEqual(
      whole,
    );
  });

  it('leaves what is there where the profile says nothing', () => {
    const live = { ...whole, MCP_REGISTRY_ENDPOINT: '10.0.0.1:5000', PLATFORM_TEAM_TRAEFIK_WATCH: 'enabled' };
    expect(wantedConfig(profile(), hosts, live)).toEqual({});
  });

  it('switches the patching of Traefik off also where the cluster names k3s’ own already', () => {
    const wanted = wantedConfig(profile(), hosts, { PLATFORM_TRAEFIK_NAMESPACE: 'kube-system' });
    expect(wanted).toMatchObject({ PLATFORM_TEAM_TRAEFIK_WATCH: 'disabled' });
  });

  it('takes what the profile says over what is there', () => {
    const wanted = wantedConfig(profile({ MCP_REGISTRY_ENDPOINT: 'r.example.org' }), hosts, whole);
    expect(wanted).toEqual({ MCP_REGISTRY_ENDPOINT: 'r.example.org' });
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['profile', { PLATFORM_TRAEFIK_NAMESPACE: 'traefik' }, {}],
    ['cluster', {}, { PLATFORM_TRAEFIK_NAMESPACE: 'traefik' }],
  ])('switches the patching of Traefik off for k3s’ own only, not for one that the %s names', (_, values, live) => {
    expect(wantedConfig(profile(values), hosts, live)).not.toHaveProperty('PLATFORM_TEAM_TRAEFIK_WATCH');
  });
});

describe('wantedPullSecret', () => {
  const host = hosts.registry;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const auth = base64('platform-service:new');
  const secret = (entry: object, others: object = {}): string =>
    JSON.stringify({ auths: { ...others, [host]: entry } });

  it.each<[string, object]>([
    ['as auth', { auth }],
    ['as user and password', { username: 'platform-service', password: 'new' }],
    ['in both forms', { username: 'platform-service', password: 'new', auth }],
  ])('wants nothing where the present password is there, %s', (_, entry) => {
    expect(wantedPullSecret(secret(entry), host, 'new')).toBeUndefined();
  });

  it.each<[string, string]>([
    ['there is none', ''],
    ['it is no JSON', '{'],
    ['it is another JSON', '[]'],
    ['it is for another host', JSON.stringify({ auths: { 'other.example.com': { auth } } })],
    ['its password is an old one', secret({ auth: base64('platform-service:old') })],
    ['its user is another', secret({ username: 'admin', password: 'new' })],
    // A kubelet takes `auth` before the two others.
    [
      'its auth is old beside the present password',
      secret({ username: 'platform-service', password: 'new', auth: base64('platform-service:old') }),
    ],
  ])('gives the present password where %s', (_, live) => {
    const made = JSON.parse(wantedPullSecret(live, host, 'new') ?? 'null') as { auths: Record<string, unknown> };
    expect(made.auths[host]).toEqual({ username: 'platform-service', password: 'new', auth });
  });

  it('keeps what is there for other registries, and all else', () => {
    const live = JSON.stringify({ auths: { 'other.example.com': { auth: 'x' } }, credHelpers: { a: 'b' } });
    expect(JSON.parse(wantedPullSecret(live, host, 'new') ?? 'null')).toMatchObject({
      auths: { 'other.example.com': { auth: 'x' } },
      credHelpers: { a: 'b' },
    });
  });
});
