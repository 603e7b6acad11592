import { describe, expect, it } from '@jest/globals';
import { checkNames, editDistance, nearestName } from './names.js';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['DOMIAN', 'DOMAIN', 2],
  ])('counts the steps from "%s" to "%s"', (from, to, steps) => {
    expect(editDistance(from, to)).toBe(steps);
    expect(editDistance(to, from)).toBe(steps);
  });
});

describe('nearestName', () => {
  it.each([
    ['MCP_PLATFORM_DOMIAN', 'MCP_PLATFORM_DOMAIN'],
    ['MPC_PLATFORM_DOMAIN', 'MCP_PLATFORM_DOMAIN'],
    ['mcp_image_platform', 'MCP_IMAGE_PLATFORM'],
    ['MCP_REGISTRY_ENDPOIN', 'MCP_REGISTRY_ENDPOINT'],
    ['GOOGLE_CLIENTID', 'GOOGLE_CLIENT_ID'],
    ['MCP_ADMIN_EMAIL', undefined],
    ['MCP_FAVOURITE_COLOUR', undefined],
    ['PATH', undefined],
  ])('for %s suggests %s', (name, meant) => {
    expect(nearestName(name)).toBe(meant);
  });
});

describe('checkNames', () => {
  const at = (name: string) => ({ name, value: 'x', line: 3, column: 8 });

  it('is silent about known names, aliases and the variables of other tools', () => {
    expect(checkNames(['MCP_PLATFORM_DOMAIN', 'MCP_GOOGLE_CLIENT_ID', 'DOCKER_HOST'].map(at))).toEqual([]);
  });

  it('reports an unknown name with its place and the one that was meant', () => {
    expect(checkNames([at('MCP_CERT_TIMEOUTS'), at('MCP_FAVOURITE_COLOUR')])).toEqual([
      expect.objectContaining({ variable: 'MCP_CERT_TIMEOUTS', line: 3, column: 8, remedy: 'Write MCP_CERT_TIMEOUT.' }),
      expect.objectContaining({ code: 'profile-unknown-name', severity: 'warning', variable: 'MCP_FAVOURITE_COLOUR' }),
    ]);
  });
});
