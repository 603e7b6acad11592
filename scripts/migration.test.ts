import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { root } from '../lab/driver/folders.js';
import { VARIABLES } from '../shared/profile/reference.js';

/** The runbook's sections, by what their line in the page begins with. */
const sections = [
  'Reference cluster',
  'Prerequisites',
  'Required environment variables',
  'Environment variable reference',
  'Minimal profile example',
  'Step 0: back up before any wipe',
  'Manual TLS-only backup',
  'Restore after setup',
  'Safe cluster wipe',
  'If you accidentally wiped kube-system',
  'First install',
  'Reruns and upgrades',
  'Targeted Sentinel rollout',
  'Flag notes',
  'cert-manager already installed, and TLS times out',
  'Post-setup check',
  'Tenant push and deploy smoke test',
  'Multi-tenancy end-to-end test',
  'TLS cert not issued after 5+ minutes',
  'Setup fails: MCP_REGISTRY_ENDPOINT',
  'Setup fails: MCP_IMAGE_PLATFORM',
  'kube-system empty, HelmChart CRD missing',
  'Namespaces stuck in Terminating',
];

/** Every variable that the runbook names. */
const variables = [
  ...['KUBECONFIG', 'MCP_SETUP_KUBECONFIG', 'MCP_PLATFORM_DOMAIN', 'MCP_PLATFORM_ADMIN_EMAIL', 'MCP_IMAGE_PLATFORM'],
  ...['MCP_REGISTRY_ENDPOINT', 'MCP_REGISTRY_INGRESS_HOST', 'MCP_REGISTRY_HOST', 'MCP_REGISTRY_INTERNAL'],
  ...['MCP_SETUP_WAIT_TIMEOUT', 'MCP_CERT_TIMEOUT', 'MCP_SETUP_PLATFORM_MODE', 'MCP_SETUP_REGISTRY_MODE'],
  ...['MCP_SETUP_INGRESS', 'MCP_SETUP_TLS_CLUSTER_ISSUER', 'MCP_SETUP_SKIP_CERT_MANAGER_INSTALL'],
  ...['PLATFORM_TRAEFIK_NAMESPACE', 'PLATFORM_TEAM_TRAEFIK_WATCH', 'GOOGLE_CLIENT_ID', 'MCP_GOOGLE_CLIENT_ID'],
  ...['OIDC_ISSUER', 'OIDC_AUDIENCE', 'OIDC_JWKS_URL', 'MCP_TLS_BACKUP_DIR', 'MCP_RESTORE_TLS_AFTER_SETUP'],
  ...['MCP_DEPLOY_ENV', 'MCP_ROLLOUT_TAG', 'PLATFORM_URL', 'MCP_URL', 'REGISTRY_HOST', 'ADMIN_EMAIL'],
  ...['ADMIN_PASSWORD', 'ADMIN_TOKEN', 'ADMIN_KEY', 'SKIP_SETUP', 'MCP_ACME_EMAIL', 'MCP_RUNTIME_TEST_MODE'],
  ...['MCP_PLATFORM_API_URL', 'MCP_PLATFORM_API_TOKEN', 'MCP_PLATFORM_API_PROFILE', 'IMAGE_REF'],
];
/** Those that are no part of a profile: they are a script's, or a command line's. */
const noProfile = /^(?:PLATFORM_URL|MCP_URL|REGISTRY_HOST|ADMIN_\w+|SKIP_SETUP|IMAGE_REF|MCP_PLATFORM_API_\w+)$/;

const page = await readFile(join(root, 'docs', 'migration.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

describe('the page for those who come from the runbook', () => {
  it('has one line for each section of it, and no other', () => {
    const from = rows.findIndex(([, first]) => first === 'Runbook');
    const to = rows.findIndex(([, first]) => first === 'Variable');
    expect(rows.slice(from + 1, to).map(([, first]) => first)).toEqual(sections);
  });

  it('has each of its variables in one line, with what covers it', () => {
    const from = rows.findIndex(([, first]) => first === 'Variable');
    const told = rows.slice(from + 1).flatMap(([, names = '', cover = '']) => {
      expect(cover).not.toBe('');
      return [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name);
    });
    expect(told.toSorted()).toEqual(variables.toSorted());
  });

  it('tells of variables that the profile knows, where they are a profile’s', () => {
    const known = new Set(VARIABLES.flatMap(({ name, aliases = [] }) => [name, ...aliases]));
    expect(variables.filter((name) => !noProfile.test(name) && !known.has(name))).toEqual([]);
  });

  it('names inputs that the actions have', async () => {
    const named = [...page.matchAll(/`(action-[a-z-]+): ([a-z-]+)`/g)];
    expect(named.length).toBeGreaterThan(40);
    for (const [, action = '', input = ''] of named) {
      const { inputs } = parse(await readFile(join(root, action, 'action.yml'), 'utf8')) as { inputs: object };
      expect(`${action}: ${Object.keys(inputs).find((name) => name === input)}`).toBe(`${action}: ${input}`);
    }
  });

  it('leads to entries and pages that are there', async () => {
    const troubleshooting = await readFile(join(root, 'docs', 'troubleshooting.md'), 'utf8');
    const pages = await readdir(join(root, 'docs'));
    for (const [, name, file = '', anchor] of page.matchAll(/\[`?([^\]`]+)`?\]\(([^)#]+)(?:#([^)]+))?\)/g)) {
      expect(pages).toContain(file);
      if (anchor === undefined) continue;
      expect(anchor).toBe(name);
      expect(troubleshooting).toContain(`### \`${anchor}\``);
    }
  });
});
