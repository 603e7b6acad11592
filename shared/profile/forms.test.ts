import { describe, expect, it } from '@jest/globals';
import { bareDomain, formFault, hostOf, isHost, isOn, parseDuration } from './forms.js';

describe('parseDuration', () => {
  it.each([
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['250ms', 250],
    ['2µs', 0.002],
    ['0', 0],
    ['+5m', 300_000],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBeCloseTo(milliseconds, 9);
  });

  it.each(['', '900', '5 m', '5min', '-5m', 'm', '.s', '1d', '5m!'])('refuses "%s"', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('hosts and domains', () => {
  it.each(['registry.mcpruntime.org', 'a.b', 'xn--bcher-kva.example', `${'a'.repeat(63)}.org`])('takes %s', (text) => {
    expect(isHost(text)).toBe(true);
  });

  it.each([
    'localhost',
    'Mcpruntime.org',
    'mcpruntime.org.',
    '-a.org',
    'a_b.org',
    '10.43.0.1',
    '*.mcpruntime.org',
    `${'a'.repeat(64)}.org`,
    `${'a.'.repeat(130)}org`,
    '',
  ])('refuses "%s"', (text) => {
    expect(isHost(text)).toBe(false);
  });

  it.each([
    ['registry.mcpruntime.org:443', 'registry.mcpruntime.org'],
    ['10.43.1.2:5000', '10.43.1.2'],
    ['[fd00::1]:5000', 'fd00::1'],
    ['fd00::1', 'fd00::1'],
    ['registry', 'registry'],
  ])('finds the host of %s', (endpoint, host) => {
    expect(hostOf(endpoint)).toBe(host);
  });

  it.each([
    ['https://MCPruntime.org/', 'mcpruntime.org'],
    ['mcpruntime.org:443', 'mcpruntime.org'],
    ['mcpruntime.org.', 'mcpruntime.org'],
    [' mcpruntime.org ', 'mcpruntime.org'],
    ['http://mcpruntime.org:80/a?b#c', 'mcpruntime.org'],
    ['localhost', undefined],
    ['10.0.0.1', undefined],
    ['*.mcpruntime.org', undefined],
  ])('finds the bare domain of %s', (text, domain) => {
    expect(bareDomain(text)).toBe(domain);
  });
});

describe('formFault', () => {
  it.each([
    ['url', 'https://platform.mcpruntime.org', 'platform.mcpruntime.org'],
    ['host', 'mcp.mcpruntime.org', 'https://mcp.mcpruntime.org'],
    ['endpoint', 'registry:5000', 'https://registry.mcpruntime.org'],
    ['endpoint', '10.43.1.2:5000', 'registry.mcpruntime.org/x'],
    ['email', 'ops@mcpruntime.org', 'ops@mcpruntime'],
    ['email', 'a.b+c@mcpruntime.org', 'a@b.org, c@d.org'],
    ['duration', '15m', '900'],
    ['count', '5', 'five'],
    ['port', '5000', '70000'],
    ['port', '1', '0'],
    ['platform', 'linux/amd64', 'amd64'],
    ['platform', 'linux/arm/v7', 'linux/amd64,linux/arm64'],
    ['switch', 'true', 'yes'],
  ] as const)('takes %s %s and refuses %s', (kind, good, bad) => {
    expect(formFault(kind, good)).toBeUndefined();
    expect(formFault(kind, bad)).toEqual(expect.any(String));
  });

  it('takes the choices of an enumeration only', () => {
    expect(formFault(['none', 'traefik'], 'none')).toBeUndefined();
    expect(formFault(['none', 'traefik'], 'nginx')).toBe('one of none, traefik');
  });

  it.each(['text', 'path', 'secret', 'domain'] as const)('leaves a %s to others', (kind) => {
    expect(formFault(kind, 'any thing')).toBeUndefined();
  });
});

it('knows only two words for on, as the platform does', () => {
  expect(['1', 'true', 'TRUE', 'yes', 'on', '0', '', undefined].map(isOn)).toEqual([
    true,
    true,
    ...Array.from({ length: 6 }, () => false),
  ]);
});
