import { expect, it } from '@jest/globals';
import { attempt } from './der.js';
import { readSecretTemplate } from './secret-template.js';

const read = (text: string) => attempt(() => readSecretTemplate(text));

it.each([
  ['null', {}],
  [' {\n} ', {}],
  ['{"labels":{"a":"b","c":null},"annotations":{}}', { labels: { a: 'b', c: '' }, annotations: {} }],
  ['{"Labels":{"a":"b"}}', { labels: { a: 'b' } }],
  ['{"label\u017f":{"a":"b"}}', { labels: { a: 'b' } }],
  ['{"labels":{"a":"b"},"labels":{"c":"d"}}', { labels: { a: 'b', c: 'd' } }],
  ['{"labels":{"a":"b"},"LABELS":null}', {}],
  ['{"labels":{"a":"\\u00e4\\ud800"}}', { labels: { a: 'ä\ufffd' } }],
  ['{"labels":{}} and more', { labels: {} }],
  ['nullx', {}],
])('%s', (text, template) => {
  expect(read(text)).toEqual({ ok: true, value: template });
});

it.each([
  '',
  '[]',
  '{"name":{}}',
  '{"labels":["a"]}',
  '{"labels":{"a":1}}',
  '{"labels":{"a":"b",}}',
  '{"labels":{"a" "b"}}',
  '{"labels":{"a":"b"}',
  '{"labels":{"a":"\n"}}',
  '{"labels":{"a":"\\x"}}',
  '\ufeff{}',
  '\u00a0{}',
])('refuses %p', (text) => {
  expect(read(text).ok).toBe(false);
});
