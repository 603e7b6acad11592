import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod';
import { holds, seed } from '../testing/law.js';
import { fitOutputs, outputLimit, outputSize } from './fit-outputs.js';
import { finding, resultOf, texts } from './result.js';

type Outputs = Parameters<typeof fitOutputs>[0];

const sizeOf = (outputs: Outputs): number =>
  Object.entries(outputs).reduce((sum, [name, value]) => sum + outputSize(name + String(value)), 0);
const json = (value: unknown): unknown => JSON.parse(String(value));
const names = { schema: 'mcprt.result/1', action: 'action-test', operation: 'try' };
const schema = resultOf('action-test', ['try'], {
  outputs: { count: z.number() },
  details: { findings: z.array(finding), lines: texts, why: z.string() },
});
const one = (index: number) => ({
  code: 'a-b',
  severity: 'error',
  subject: `number ${index}`,
  cause: 'é漢🎉'.repeat(20),
  evidence: ['x', 'y'],
  remedy: 'mend it',
  confidence: 'certain',
});

describe('outputs', () => {
  it('that fit are handed on as they are', () => {
    const outputs = { count: 1, flag: true, text: 'é', result: '{"a": [1]}' };
    expect(fitOutputs(outputs)).toEqual(outputs);
  });

  it.each([
    ['lists', { findings: Array.from({ length: 10_000 }, (_, index) => one(index)), lines: ['a'], why: 'w' }],
    ['a text', { findings: [one(0)], lines: ['a'], why: '🎉'.repeat(1_000_000) }],
    ['texts in a list', { findings: [], lines: Array.from({ length: 600 }, () => 'x'.repeat(8_000)), why: '' }],
  ])('have a result that fits its schema, also where %s are too long', (_, details) => {
    const told = { ...names, count: 7, ...details };
    const { result } = fitOutputs({ count: 7, result: JSON.stringify(told) });
    expect(outputSize(String(result))).toBeLessThan(outputLimit);
    expect(outputSize(String(result))).toBeGreaterThan(outputLimit / 2);
    const shown = schema.parse(json(result));
    expect(shown).toMatchObject({ ...names, count: 7, omitted: expect.any(Object) });
  });

  it('tell how much is missing where, and keep what comes first', () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `line ${index}`);
    const { result } = fitOutputs({ result: JSON.stringify({ lines, more: [{ own: lines.slice(0, 9) }] }) });
    const shown = z.object({ lines: texts, omitted: z.record(z.string(), z.number()) }).parse(json(result));
    expect(shown.lines).toEqual(lines.slice(0, shown.lines.length));
    expect(shown.omitted).toEqual({ lines: lines.length - shown.lines.length });
  });

  it('leave half for the result, and none of them is left out', () => {
    const big = 'x'.repeat(2_000_000);
    const list = JSON.stringify(Array.from({ length: 90_000 }, () => 'item'));
    const fitted = fitOutputs({ big, list, count: 3, result: JSON.stringify({ lines: [big], count: 3 }) });
    expect(sizeOf(fitted)).toBeLessThanOrEqual(outputLimit);
    expect(Object.keys(fitted)).toEqual(['big', 'list', 'count', 'result']);
    expect(String(fitted.big)).toMatch(/^x{50000,}…$/);
    expect(json(fitted.list)).toEqual(expect.arrayContaining(['item']));
    expect(json(fitted.result)).toMatchObject({ count: 3 });
  });
});

describe(`any outputs (seed ${seed})`, () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.integer(),
    fc.json({ maxDepth: 4 }),
    fc.array(fc.string(), { maxLength: 60 }).map((list) => JSON.stringify({ list, inner: { list } })),
  );

  it('are never above the limit, have all names, and JSON stays JSON', () => {
    holds(
      fc.property(
        fc.dictionary(fc.string({ unit: fc.constantFrom(...'abcdefgh'), minLength: 1, maxLength: 8 }), value, {
          maxKeys: 6,
        }),
        fc.array(fc.record({ name: fc.string(), list: fc.array(fc.string({ unit: 'grapheme' })) }), { maxLength: 30 }),
        fc.integer({ min: 1_000, max: 6_000 }),
        (others, items, most) => {
          const outputs = { ...others, result: JSON.stringify({ schema: 's', items }) };
          const fitted = fitOutputs(outputs, most);
          expect(sizeOf(fitted)).toBeLessThanOrEqual(most);
          expect(Object.keys(fitted)).toEqual(Object.keys(outputs));
          expect(json(fitted.result)).toMatchObject({ schema: 's' });
          for (const [name, text] of Object.entries(fitted)) {
            const before: unknown = outputs[name as keyof typeof outputs];
            if (typeof text === 'string' && typeof before === 'string' && before.isWellFormed())
              expect(text.isWellFormed()).toBe(true);
            if (typeof before === 'string' && /^[{[]/.test(before) && isJson(before)) expect(isJson(text)).toBe(true);
          }
        },
      ),
      300,
    );
  });

  const isJson = (text: unknown): boolean => {
    try {
      json(text);
      return true;
    } catch {
      return false;
    }
  };
});
