import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from '../lab/driver/folders.js';
import { grants } from '../shared/permissions/operations.js';
import { isLoopback } from './accounts.js';
import { callsIn, environmentsOf } from './environments.js';

describe('the accounts', () => {
  it('are there for every environment whose jobs have a kubeconfig, with an operation that has a manifest', async () => {
    const examples = (await readdir(join(root, 'examples'))).filter((name) => name.endsWith('.yml'));
    for (const example of examples) {
      for (const { file, ...call } of callsIn(await readFile(join(root, 'examples', example), 'utf8'))) {
        const text = await readFile(join(root, '.github', 'workflows', file), 'utf8');
        const needing = environmentsOf([{ text, ...call }]).filter((one) => one.secrets.includes('KUBECONFIG'));
        for (const { name, operation } of needing) {
          expect([name, operation !== undefined && grants.has(operation)]).toEqual([name, true]);
        }
      }
    }
  });
});

describe('an address that leads to the machine itself', () => {
  it.each([
    ['https://127.0.0.1:6443', true],
    ['https://localhost:6443', true],
    ['https://[::1]:6443', true],
    ['https://10.0.0.1:6443', false],
    ['https://k3s.example.com', false],
    ['https://localhost.example.com', false],
  ])('%s: %s', (address, is) => {
    expect(isLoopback(address)).toBe(is);
  });
});
