import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, test } from '@jest/globals';
import { root } from '../lab/driver/folders.js';
import { proofs } from '../proofs/registry.js';
import { orderPictures, ordersPicture, readOrderFigures } from './orders-picture.js';

const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8');

const readme = await read('README.md');
/** What is seen before anybody scrolls far. */
const first = readme.slice(0, readme.indexOf('\n## '));

describe('the first screen', () => {
  it('says what it is, shows it, says what it takes, and starts', () => {
    const parts = ['never orders', '<picture>', 'You need', '```sh', '<img alt="Summary of'];
    const places = parts.map((part) => first.indexOf(part));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(first.match(/^- /gm)).toHaveLength(3);
    expect(first.match(/^<picture>/gm)).toHaveLength(2);
    expect(first.split('\n').length).toBeLessThanOrEqual(36);
  });

  it('tells of the picture what the picture shows', async () => {
    const { orders } = await readOrderFigures();
    expect(first).toContain(`${orders.runbook} by the runbook, ${orders.mcprt} by mcprt`);
  });
});

it('makes five claims, each by a proof that there is, and leads to the others', () => {
  const claims = /^## What it guarantees\n\n.*\(docs\/guarantees\.md\)[^\n]*\n\n((?:- .*\n)+)/m.exec(readme)?.[1] ?? '';
  const claimed = [...claims.matchAll(/^- .*`npm run prove -- ([a-z-]+)`$/gm)].map(([, name]) => name);
  expect(claimed).toHaveLength(5);
  expect(claims.trim().split('\n')).toHaveLength(5);
  const known = proofs.map(({ name }) => name);
  expect(claimed.filter((name = '') => !known.includes(name))).toEqual([]);
});

it('has a status with the versions that were run, as the page of versions has them', async () => {
  const status = readme.slice(readme.indexOf('\n## Status'), readme.indexOf('\n## In your workflows'));
  const page = await read('docs/versions.md');
  const [, certManager = '', kubernetes = ''] = /cert-manager (\d+\.\d+) and Kubernetes (\d+\.\d+)/.exec(status) ?? [];
  expect(page).toMatch(new RegExp(`^\\| ${certManager}\\.\\d+ \\| ${kubernetes}\\.\\d+ \\| `, 'm'));
  expect(status).toContain('](docs/versions.md)');
  expect(status).toContain('](docs/workflows.md#where-does-it-run)');
});

it('uses no word that only insiders know', () => {
  expect(readme.match(/\b(?:brakes?|barriers?|canary|layouts?|generations?|stand-ins?|inventory)\b/gi) ?? []).toEqual([
    'canary', // The name of a proof.
  ]);
});

test.each(orderPictures)('the picture, %s, is what the figures give', async (theme, file) => {
  expect(await read(file)).toBe(ordersPicture(await readOrderFigures(), theme));
});

test('a picture has a block for each order, and says the numbers', () => {
  const svg = ordersPicture({ measured: '2026-01-02', acmeCertificates: 4, orders: { mcprt: 1, runbook: 3 } }, 'dark');
  expect(svg.match(/<rect /g)).toHaveLength(4);
  expect(svg).toContain('3 by the runbook, 1 by mcprt');
  expect(svg).toContain(
    'A platform with 4 public certificates on a test cluster with its own ACME server: npm run demo, 2026-01-02',
  );
});
