import { describe, expect, it } from '@jest/globals';
import { domainOf, effective, given, givenName, hostsOf, kubeconfigOf, secretValues } from './values.js';

const of = (values: Record<string, string>) => new Map(Object.entries(values));

describe('the values of a profile', () => {
  it('resolves aliases, the proper name first and empty values last', () => {
    expect(given(of({ MCP_GOOGLE_CLIENT_ID: 'b', GOOGLE_CLIENT_ID: 'a' }), 'GOOGLE_CLIENT_ID')).toBe('a');
    expect(givenName(of({ MCP_GOOGLE_CLIENT_ID: 'b', GOOGLE_CLIENT_ID: '' }), 'GOOGLE_CLIENT_ID')).toBe(
      'MCP_GOOGLE_CLIENT_ID',
    );
    expect(given(of({ GOOGLE_CLIENT_ID: '' }), 'GOOGLE_CLIENT_ID')).toBeUndefined();
  });

  it('falls back to the default', () => {
    expect(effective(of({}), 'MCP_SETUP_TLS_CLUSTER_ISSUER')).toBe('letsencrypt-prod');
    expect(effective(of({ MCP_TLS_CLUSTER_ISSUER: 'own' }), 'MCP_SETUP_TLS_CLUSTER_ISSUER')).toBe('own');
    expect(effective(of({}), 'MCP_ACME_EMAIL')).toBeUndefined();
  });

  it('derives the hosts from the domain', () => {
    const values = of({ MCP_PLATFORM_DOMAIN: 'mcpruntime.org' });
    expect(domainOf(values)).toBe('mcpruntime.org');
    expect(hostsOf(values)).toEqual({
      registry: 'registry.mcpruntime.org',
      mcp: 'mcp.mcpruntime.org',
      platform: 'platform.mcpruntime.org',
    });
  });

  it('prefers hosts that are given, and leaves out what cannot be known', () => {
    const host = { MCP_REGISTRY_INGRESS_HOST: 'images.mcpruntime.org' };
    expect(hostsOf(of(host))).toEqual({ registry: 'images.mcpruntime.org' });
    expect(hostsOf(of({ ...host, MCP_PLATFORM_DOMAIN: 'mcpruntime.org' }))).toMatchObject({
      registry: 'images.mcpruntime.org',
      mcp: 'mcp.mcpruntime.org',
    });
  });

  it("prefers setup's kubeconfig", () => {
    expect(kubeconfigOf(of({ KUBECONFIG: '/a', MCP_SETUP_KUBECONFIG: '/b' }))).toBe('/b');
    expect(kubeconfigOf(of({ KUBECONFIG: '/a', MCP_SETUP_KUBECONFIG: '' }))).toBe('/a');
    expect(kubeconfigOf(of({}))).toBeUndefined();
  });

  it('names the secrets to mask, also those under an alias', () => {
    const values = of({ PLATFORM_ADMIN_PASSWORD: 's1', ADMIN_TOKEN: 's2', ADMIN_PASSWORD: '', GOOGLE_CLIENT_ID: 'id' });
    expect(secretValues(values)).toEqual(['s1', 's2']);
  });
});
