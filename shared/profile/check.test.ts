import { describe, expect, it } from '@jest/globals';
import { checkProfile } from './check.js';
import { parseProfile } from './parse.js';
import type { Stage } from './reference.js';

const SOUND = `export KUBECONFIG=/tmp/k3s.yaml
export MCP_PLATFORM_DOMAIN=mcpruntime.org
export MCP_IMAGE_PLATFORM=linux/amd64
export MCP_PLATFORM_ADMIN_EMAIL=admin@mcpruntime.org
export MCP_REGISTRY_ENDPOINT=registry.mcpruntime.org
export GOOGLE_CLIENT_ID=123.apps.googleusercontent.com`;

interface Case {
  stage?: Stage;
}

function check(text: string, circumstances: Case = {}) {
  const parsed = parseProfile(text, {});
  const values = new Map([...parsed.assignments.values()].map(({ name, value }) => [name, value]));
  return checkProfile(parsed, { values, stage: 'setup', ...circumstances });
}

/** The findings that lines add to a sound profile, shortened. */
function added(lines: string, circumstances: Case = {}) {
  return check(`${SOUND}\n${lines}`, circumstances).map(({ code, severity, line }) => [code, severity, line]);
}

/** The sound profile with one variable set to another value, or gone. */
function changed(name: string, value?: string): string {
  const line = new RegExp(`^export ${name}=.*$`, 'm');
  return SOUND.replace(line, value === undefined ? '#' : `export ${name}=${value}`);
}

const codes = (text: string, circumstances?: Case) =>
  check(text, circumstances).map(({ code, severity, variable }) => [code, severity, variable]);

describe('checkProfile', () => {
  it.each(['setup', 'rollout', 'backup', 'smoke-test'] as const)(
    'has nothing to say about a sound one for %s',
    (stage) => {
      expect(check(SOUND, { stage })).toEqual([]);
    },
  );

  it.each([
    ['an address as pull host', '10.43.12.7:5000', 'error'],
    ['an IPv6 address as pull host', '[fd00::1]:5000', 'error'],
    ['a Service as pull host', 'registry.registry.svc.cluster.local:5000', 'error'],
    ['a short name as pull host', 'registry:5000', 'error'],
    ['another public host', 'images.mcpruntime.org', 'warning'],
  ])('warns of %s', (_, value, severity) => {
    expect(codes(changed('MCP_REGISTRY_ENDPOINT', value))).toEqual([
      ['profile-registry-endpoint', severity, 'MCP_REGISTRY_ENDPOINT'],
    ]);
  });

  it('takes the registry host with a port, and any address where no public certificate is used', () => {
    expect(check(changed('MCP_REGISTRY_ENDPOINT', 'registry.mcpruntime.org:443'))).toEqual([]);
    const inside = changed('MCP_REGISTRY_ENDPOINT', '10.43.12.7:5000');
    expect(check(`${inside}\nMCP_REGISTRY_MODE=bundled-http`)).toEqual([]);
  });

  it('says what to write instead', () => {
    const [finding] = check(changed('MCP_REGISTRY_ENDPOINT', '10.43.12.7:5000'));
    expect(finding).toMatchObject({
      line: 5,
      column: 8,
      remedy: 'Write MCP_REGISTRY_ENDPOINT=registry.mcpruntime.org',
    });
  });

  it.each([
    ['a scheme', 'https://mcpruntime.org', 'Write MCP_PLATFORM_DOMAIN=mcpruntime.org'],
    ['a path', 'mcpruntime.org/', 'Write MCP_PLATFORM_DOMAIN=mcpruntime.org'],
    ['a port', 'mcpruntime.org:443', 'Write MCP_PLATFORM_DOMAIN=mcpruntime.org'],
    ['a trailing dot', 'mcpruntime.org.', 'Write MCP_PLATFORM_DOMAIN=mcpruntime.org'],
    ['capital letters', 'MCPRuntime.org', 'Write MCP_PLATFORM_DOMAIN=mcpruntime.org'],
    ['an address', '10.0.0.1', 'Write a domain such as mcpruntime.org.'],
  ])('refuses a domain with %s', (_, value, remedy) => {
    expect(check(changed('MCP_PLATFORM_DOMAIN', value))).toContainEqual(
      expect.objectContaining({ code: 'profile-domain', severity: 'error', line: 2, remedy }),
    );
  });

  it('takes a contact next to an issuer: setup decides from the cluster which one it needs', () => {
    expect(added('MCP_ACME_EMAIL=ops@mcpruntime.org\nMCP_TLS_CLUSTER_ISSUER=letsencrypt-prod')).toEqual([]);
  });

  it.each([
    ['bundled-https', []],
    ['external', []],
    ['bundled-http', [['profile-variable-missing', 'error', 'MCP_REGISTRY_ENDPOINT']]],
    ['auto', [['profile-variable-missing', 'error', 'MCP_REGISTRY_ENDPOINT']]],
  ])('needs no pull host where it is the public one, with the registry mode %s', (mode, expected) => {
    const without = `${changed('MCP_REGISTRY_ENDPOINT')}\nMCP_SETUP_REGISTRY_MODE=${mode}`;
    expect(codes(without)).toEqual(expected);
    expect(codes(without, { stage: 'rollout' })).toEqual([]);
  });

  it.each([
    ['the test mode of pods', 'MCP_RUNTIME_TEST_MODE=1', ['profile-test-mode', 'error', 7]],
    ['the test mode of setup', 'MCP_SETUP_TEST_MODE=true', ['profile-test-mode', 'warning', 7]],
    ['another registry host', 'MCP_REGISTRY_HOST=10.43.1.2:5000', ['profile-registry-host', 'error', 7]],
    ['a needless registry host', 'MCP_REGISTRY_HOST=registry.mcpruntime.org', ['profile-registry-host', 'warning', 7]],
    ['a wait that nothing reads', 'MCP_SETUP_WAIT_TIMEOUT=900', ['profile-wait-timeout', 'warning', 7]],
    ['an unknown name', 'MCP_PLATFORM_DOMIAN=x', ['profile-unknown-name', 'warning', 7]],
    ['a wrong choice', 'MCP_SETUP_INGRESS=nginx', ['profile-form', 'error', 7]],
    ['a number without a unit', 'MCP_CERT_TIMEOUT=900', ['profile-form', 'error', 7]],
    ['half an identity provider', 'OIDC_ISSUER=https://id.mcpruntime.org', ['profile-oidc', 'error', 7]],
    ['an alias that differs', 'MCP_GOOGLE_CLIENT_ID=other', ['profile-alias', 'warning', 6]],
    ['two kubeconfigs', 'MCP_SETUP_KUBECONFIG=/tmp/other.yaml', ['profile-kubeconfig', 'warning', 7]],
  ])('warns of %s', (_, line, expected) => {
    expect(added(line)).toEqual([expected]);
  });

  it.each([
    ['test mode that is off', 'MCP_RUNTIME_TEST_MODE=0'],
    ['empty values', 'MCP_REGISTRY_HOST=\nMCP_ACME_EMAIL=""\nMCP_CERT_TIMEOUT='],
    ['an audience next to Google', 'OIDC_AUDIENCE=mcp'],
    ['an alias that agrees', 'MCP_GOOGLE_CLIENT_ID=123.apps.googleusercontent.com'],
    ['the same kubeconfig twice', 'MCP_SETUP_KUBECONFIG=$KUBECONFIG'],
    ['variables of other tools', 'export DOCKER_HOST=tcp://10.0.0.1'],
    ['angle brackets in a password', "MCP_PLATFORM_ADMIN_PASSWORD='a<b>c'"],
  ])('does not mind %s', (_, lines) => {
    expect(added(lines)).toEqual([]);
  });

  it('turns a wait that nothing reads into the one that counts', () => {
    const [finding] = check(`${SOUND}\nMCP_SETUP_WAIT_TIMEOUT=900`);
    expect(finding?.remedy).toBe('Write MCP_DEPLOYMENT_TIMEOUT=900s instead.');
    expect(added('MCP_SETUP_WAIT_TIMEOUT=900\nMCP_DEPLOYMENT_TIMEOUT=15m')).toEqual([
      ['profile-wait-timeout', 'notice', 7],
    ]);
  });

  it.each([
    ['MCP_PLATFORM_DOMAIN', 'backup', 'error'],
    ['MCP_PLATFORM_ADMIN_EMAIL', 'setup', 'error'],
    ['MCP_IMAGE_PLATFORM', 'rollout', 'warning'],
  ] as const)('misses %s for %s', (name, stage, severity) => {
    expect(codes(changed(name), { stage })).toContainEqual(['profile-variable-missing', severity, name]);
  });

  it('does not ask for more than a stage needs', () => {
    expect(check('MCP_PLATFORM_DOMAIN=mcpruntime.org', { stage: 'backup' })).toEqual([]);
    expect(check(`${changed('MCP_PLATFORM_ADMIN_EMAIL')}\nADMIN_USERS=a@mcpruntime.org`)).toEqual([]);
  });

  it('says one thing about a line with a syntax fault, not that its variable is missing too', () => {
    expect(codes(changed('MCP_PLATFORM_ADMIN_EMAIL', '$(git config user.email)'))).toEqual([
      ['profile-command', 'error', 'MCP_PLATFORM_ADMIN_EMAIL'],
    ]);
  });

  it.each([
    ['GOOGLE_CLIENT_ID', '<google-oauth-client-id>', 'error'],
    ['MCP_PLATFORM_ADMIN_EMAIL', 'admin@example.com', 'warning'],
    ['MCP_PLATFORM_DOMAIN', '<domain>', 'error'],
    ['MCP_REGISTRY_ENDPOINT', 'registry.<domain>', 'error'],
  ])('sees that %s=%s was left in', (name, value, severity) => {
    expect(codes(changed(name, `"${value}"`)).filter(([, , variable]) => variable === name)).toEqual([
      ['profile-placeholder', severity, name],
    ]);
  });

  it('says of a reserved domain what it is, and of a placeholder that it was left in', () => {
    const told = (name: string, value: string) =>
      check(changed(name, `"${value}"`)).find(({ code }) => code === 'profile-placeholder')?.message;
    expect(told('MCP_PLATFORM_ADMIN_EMAIL', 'admin@example.com')).toBe(
      'MCP_PLATFORM_ADMIN_EMAIL names a domain that is reserved for examples, and that nobody can have: it may be a placeholder of the template.',
    );
    expect(told('MCP_PLATFORM_DOMAIN', '<domain>')).toBe(
      'MCP_PLATFORM_DOMAIN still holds a placeholder of the template.',
    );
  });

  it('refuses a contact that the certificate authority would refuse', () => {
    expect(added('MCP_ACME_EMAIL=ops@example.com')).toEqual([['profile-placeholder', 'error', 7]]);
  });

  it('asks for a way to sign in', () => {
    const without = changed('GOOGLE_CLIENT_ID');
    expect(codes(without)).toEqual([['profile-sign-in', 'warning', 'GOOGLE_CLIENT_ID']]);
    expect(codes(without, { stage: 'backup' })).toEqual([]);
    expect(codes(`${without}\nMCP_PLATFORM_ADMIN_PASSWORD=long`)).toEqual([]);
    expect(codes(`${without}\nMCP_SETUP_PLATFORM_MODE=public`)).toEqual([
      ['profile-sign-in', 'error', 'GOOGLE_CLIENT_ID'],
    ]);
  });

  it('gives findings in the order of the lines', () => {
    const findings = check(`MCP_X=1\nMCP_RUNTIME_TEST_MODE=1\nA='\n${SOUND}`);
    expect(findings.map(({ line }) => line)).toEqual([1, 2, 3]);
  });

  it('never shows a secret, wherever its value ends up', () => {
    const secret = 'Hunter2.Secret.org';
    const findings = check(`MCP_PLATFORM_ADMIN_PASSWORD=${secret}
ADMIN_TOKEN='${secret}
MCP_PLATFORM_DOMAIN=$MCP_PLATFORM_ADMIN_PASSWORD
MCP_REGISTRY_ENDPOINT=10.43.1.2:5000
MCP_SETUP_WAIT_TIMEOUT=$MCP_PLATFORM_ADMIN_PASSWORD
MCP_PLATFORM_ADMIN_EMAIL=$MCP_PLATFORM_ADMIN_PASSWORD
MCP_SETUP_INGRESS=$MCP_PLATFORM_ADMIN_PASSWORD`);
    expect(findings.length).toBeGreaterThan(5);
    expect(JSON.stringify(findings).toLowerCase()).not.toContain('hunter2');
  });
});
