import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as backup from '../action-backup/src/inputs.js';
import * as rollout from '../action-rollout/src/inputs.js';
import * as setup from '../action-setup/src/inputs.js';
import * as smokeTest from '../action-smoke-test/src/inputs.js';
import { root } from '../lab/driver/folders.js';
import { proofs } from '../proofs/registry.js';
import { findingCodes } from '../shared/checks/catalog.js';
import { actionTables, readAction, withTables } from './action-tables.js';

const read = (...path: string[]): Promise<string> => readFile(join(root, ...path), 'utf8');

describe.each(
  Object.entries({
    'action-backup': backup,
    'action-setup': setup,
    'action-rollout': rollout,
    'action-smoke-test': smokeTest,
  }),
)('%s', (folder, { inputTypes, outputNames }) => {
  it('has the same inputs in action.yml and in the code, in the same order', async () => {
    const action = readAction(await read(folder, 'action.yml'));
    expect(Object.keys(action.inputs)).toEqual(Object.keys(inputTypes));
    expect(Object.keys(action.outputs)).toEqual([...outputNames]);
  });

  it('has defaults that its own types accept', async () => {
    const action = readAction(await read(folder, 'action.yml'));
    for (const [name, { default: value, required }] of Object.entries(action.inputs)) {
      if (required || value?.startsWith('${{')) continue;
      expect(() => inputTypes[name as keyof typeof inputTypes].parse(value ?? '')).not.toThrow();
    }
  });

  it('has tables in its README that are those of action.yml', async () => {
    const [readme, action] = await Promise.all([read(folder, 'README.md'), read(folder, 'action.yml')]);
    const tables = actionTables(action);
    expect(readme).toContain(tables.inputs);
    expect(readme).toContain(tables.outputs);
    expect(withTables(readme, tables)).toBe(readme);
  });
});

describe('codes of errors and findings', () => {
  it('each have an entry in docs/troubleshooting.md, and no entry is left over', async () => {
    const sources = (await readdir(root, { recursive: true })).filter(
      (file) =>
        /^(?:cli|init|shared|action-[a-z-]+|lab\/(?:driver|drill|engine))\/.*\.ts$|^\.github\/actions\/.*\.yml$/.test(
          file,
        ) && !/\.test\.ts$|\/testing\//.test(file),
    );
    const texts = await Promise.all(sources.map((file) => read(file)));
    const prefixes =
      'anchor|profile|identity|cluster|kubeconfig|backup|restore|wipe|setup|installer|store|key|brake|barrier|namespace|input|job|certmanager|command|lab|drill|rollout|registry|image|docker|github|smoke|preview|init|identity|proxy';
    const notCodes = new Set([
      'backup-key',
      'restore-key',
      'kubeconfig-trusted',
      'profile-text',
      'setup-args',
      'lab-node',
      'lab-admin',
      'docker-container',
      'github-token',
      'image-platform',
      'proxy-authorization',
      'proxy-connection',
      'proxy-url',
      'registry-access',
      'registry-cert',
      'registry-internal-tls',
      'registry-mode',
      'registry-tls',
      'rollout-permissions',
      'rollout-plan',
      'rollout-port-forward',
      'rollout-pull-request',
      'rollout-timeout',
      'cluster-resource-namespace',
      'setup-go',
      'setup-plan',
      'setup-pull-request',
      'smoke-test',
    ]);
    const codes = texts.flatMap((text) =>
      [...text.matchAll(new RegExp(`'((?:${prefixes})-[a-z]+(?:-[a-z]+)*)'`, 'g'))].map(([, code]) => code ?? ''),
    );
    const annotated = texts.flatMap((text) =>
      [...text.matchAll(/title=mcprt%3A ([a-z-]+)::/g)].map(([, code]) => code ?? ''),
    );
    const wanted = [...new Set([...codes, ...annotated, ...findingCodes])].filter((code) => !notCodes.has(code)).sort();
    const documented = [...(await read('docs', 'troubleshooting.md')).matchAll(/^### `([a-z0-9-]+)`$/gm)]
      .map(([, code]) => code ?? '')
      .sort();
    expect(documented).toEqual(wanted);
  });
});

/** The proofs that a page names with their command. */
const proofsIn = (page: string): string[] => [
  ...new Set([...page.matchAll(/`npm run prove -- ([a-z-]+)/g)].map(([, name = '']) => name)),
];

describe('the guarantees', () => {
  it('have a row for every proof, and a proof for every row', async () => {
    const page = await read('docs', 'guarantees.md');
    expect(proofsIn(page).sort()).toEqual(proofs.map(({ name }) => name).sort());
    const rows = page.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:Claim|---) /.test(line));
    expect(rows.filter((row) => proofsIn(row).length === 0)).toEqual([]);
  });
});
