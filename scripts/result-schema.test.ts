import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { root } from '../lab/driver/folders.js';
import { requireFitting } from '../lab/driver/result.js';
import { resultSchemaText } from './result-schema.js';

it('docs/result.schema.json is as the code tells (npm run docs writes it)', async () => {
  expect(await readFile(join(root, 'docs', 'result.schema.json'), 'utf8')).toBe(resultSchemaText());
});

const good = {
  schema: 'mcprt.result/1',
  action: 'action-backup',
  operation: 'fetch',
  generation: 3,
  certificates: 2,
  fingerprint: 'f',
  'created-at': '2026-11-24T12:00:00.000Z',
  'expires-at': '2027-01-24T12:00:00Z',
  name: 'n',
  stores: 'cache',
  path: '/x',
};

it('a result that fits is taken', () => {
  expect(() => requireFitting(JSON.stringify(good))).not.toThrow();
});

it.each<[string, object, string]>([
  ['a field too many', { extra: 1 }, 'extra'],
  ['a field too few', { path: undefined }, 'path'],
  ['a field of another type', { generation: '3' }, 'generation'],
  ['a time that is none', { 'created-at': 'yesterday' }, 'created-at'],
  ['another schema', { schema: 'mcprt.backups/1' }, 'schema'],
  ['an operation that there is not', { operation: 'guess' }, 'nothing is published'],
])('a result is refused with %s', (_, change, why) => {
  expect(() => requireFitting(JSON.stringify({ ...good, ...change }))).toThrow(why);
});

it('no object is no result', () => {
  expect(() => requireFitting('[]')).toThrow('nothing is published');
});
