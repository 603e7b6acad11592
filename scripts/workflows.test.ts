import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { root } from '../lab/driver/folders.js';
import { isRecord } from '../shared/json.js';

/** A text with workflow steps in it: an example, or a snippet of a page. */
interface Text {
  where: string;
  text: string;
}

interface Action {
  inputs: Record<string, { required?: boolean }>;
  outputs: Record<string, unknown>;
}

const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md'];

async function snippets(): Promise<Text[]> {
  const entries = await readdir(root);
  const files = [
    ...pages,
    ...entries.filter((name) => name.startsWith('action-')).map((name) => join(name, 'README.md')),
    ...(await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
  ];
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(root, file), 'utf8');
      return [...text.matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)].map(([, block = ''], index) => ({
        where: `${file}, snippet ${index + 1}`,
        text: block,
      }));
    }),
  );
  return found.flat();
}

async function examples(): Promise<Text[]> {
  const files = (await readdir(join(root, 'examples'))).filter((name) => name.endsWith('.yml'));
  return Promise.all(
    files.map(async (file) => ({
      where: `examples/${file}`,
      text: await readFile(join(root, 'examples', file), 'utf8'),
    })),
  );
}

const actions = new Map<string, Action>();
for (const name of (await readdir(root)).filter((entry) => entry.startsWith('action-'))) {
  actions.set(name, parse(await readFile(join(root, name, 'action.yml'), 'utf8')) as Action);
}

/** Everything in a document that has `uses`, wherever it is: a snippet may be a step, a list of them, or a workflow. */
function stepsIn(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(stepsIn);
  if (!isRecord(value)) return [];
  return [...(typeof value.uses === 'string' ? [value] : []), ...Object.values(value).flatMap(stepsIn)];
}

function actionOf(step: Record<string, unknown>): [string, Action] | undefined {
  const [, name = ''] = /^org\/mcprt\/(action-[a-z-]+)@v1$/.exec(String(step.uses)) ?? [];
  const action = actions.get(name);
  return action && [name, action];
}

/** What is wrong with the use of our actions in a text. */
function mistakesIn({ text }: Text): string[] {
  const steps = stepsIn(parse(text));
  const ofOurs = steps.flatMap((step): string[] => {
    if (!String(step.uses).startsWith('org/mcprt/')) return [];
    const found = actionOf(step);
    if (found === undefined) return [`there is no ${String(step.uses)}`];
    const [name, { inputs }] = found;
    const given = isRecord(step.with) ? Object.keys(step.with) : [];
    const missing = Object.keys(inputs).filter((input) => inputs[input]?.required === true && !given.includes(input));
    return [
      ...given.filter((input) => inputs[input] === undefined).map((input) => `${name} has no input ${input}`),
      ...missing.map((input) => `${name} needs ${input}`),
    ];
  });
  const outputs = [...text.matchAll(/steps\.([\w-]+)\.outputs\.([\w-]+)/g)].flatMap(([, id, output = '']) => {
    const step = steps.find((one) => one.id === id);
    const found = step && actionOf(step);
    return found === undefined || found[1].outputs[output] !== undefined ? [] : [`${found[0]} has no output ${output}`];
  });
  return [...ofOurs, ...outputs];
}

describe('the snippets of the pages', () => {
  it('use the actions as they are', async () => {
    const found = await snippets();
    expect(found.length).toBeGreaterThan(8);
    expect(found.flatMap((one) => mistakesIn(one).map((mistake) => `${one.where}: ${mistake}`))).toEqual([]);
  });
});

describe('the examples', () => {
  it('use the actions as they are', async () => {
    const found = await examples();
    expect(found.flatMap((one) => mistakesIn(one).map((mistake) => `${one.where}: ${mistake}`))).toEqual([]);
    const used = new Set(
      found.flatMap(({ text }) => stepsIn(parse(text)).flatMap((step) => actionOf(step)?.[0] ?? [])),
    );
    expect([...used].sort()).toEqual([...actions.keys()].sort());
  });

  it('give no job more than it says why', async () => {
    for (const { where, text } of await examples()) {
      const workflow: unknown = parse(text);
      expect([where, isRecord(workflow) ? workflow.permissions : undefined]).toEqual([where, {}]);
      for (const line of text.split('\n').filter((one) => /^ {6}[a-z-]+: (?:read|write)\b/.test(one))) {
        expect(`${where}: ${line}`).toMatch(/# \S/);
      }
    }
  });

  it('pin the actions of others to a commit', async () => {
    for (const { where, text } of await examples()) {
      const others = stepsIn(parse(text)).flatMap(({ uses }) => (String(uses).startsWith('org/mcprt/') ? [] : [uses]));
      for (const uses of others) expect(`${where}: ${String(uses)}`).toMatch(/@[0-9a-f]{40}$/);
    }
  });
});
