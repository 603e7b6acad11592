import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from '../../lab/driver/folders.js';
import { diagramsOf } from './diagrams.js';

const workflow = (): Promise<string> => readFile(join(root, '.github', 'workflows', 'deploy.yml'), 'utf8');

test.each(['light', 'dark'] as const)('each diagram, %s, is what `npm run docs` draws', async (theme) => {
  for (const [name, draw] of diagramsOf(await workflow())) {
    expect(await readFile(join(root, 'docs', 'pictures', `${name}-${theme}.svg`), 'utf8')).toBe(draw(theme));
  }
});

test('the flow of a deployment follows the workflow', async () => {
  const [[, draw]] = diagramsOf((await workflow()).replace('name: Roll out', 'name: Ship & <go>')) as [
    [string, (theme: 'light') => string],
  ];
  expect(draw('light')).toContain('>Ship &amp; &lt;go></text>');
  expect(() => diagramsOf('on: {}\njobs: {}')[0]?.[1]('light')).toThrow();
});

test('no line of a box is wider than it', async () => {
  for (const [name, draw] of diagramsOf(await workflow())) {
    const boxes = [
      ...draw('light').matchAll(
        /<rect x="([\d.]+)"[^>]*width="([\d.]+)"[^>]*rx="6"[^>]*>((?:\s*<text[^>]*>[^<]*<\/text>)*)/g,
      ),
    ];
    for (const [, , width = '', texts = ''] of boxes) {
      for (const [, size = '', text = ''] of texts.matchAll(/font-size="([\d.]+)"[^>]*>([^<]*)</g)) {
        // Of these fonts a letter is 0.62 of its height wide at most, over a line.
        expect([name, text, text.length * Number(size) * 0.62 < Number(width) - 10]).toEqual([name, text, true]);
      }
    }
  }
});
