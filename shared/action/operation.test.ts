import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { McprtError } from '../errors.js';
import { Markdown } from './markdown.js';
import { type Door, type Opened, type OperationInputs, type Report, runOperation } from './operation.js';

const files = ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY'] as const;
const before = Object.fromEntries(files.map((name) => [name, process.env[name]]));
let folder = '';
let printed = '';

// The toolkit keeps the path of the summary.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-operation-'));
  for (const name of files) process.env[name] = join(folder, name);
});

beforeEach(async () => {
  for (const name of files) await writeFile(join(folder, name), '');
  printed = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = 0;
});

afterAll(async () => {
  for (const name of files) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  await rm(folder, { recursive: true });
});

const door = (inputs: Partial<OperationInputs> = {}): Door<OperationInputs> => ({
  title: 'action-test',
  version: '1',
  stage: 'backup',
  read: () => ({
    operation: 'try',
    profile: '',
    'profile-text': '',
    domain: 'example.com',
    timeout: 60_000,
    ...inputs,
  }),
  connection: () => undefined,
});
const report = (more: Partial<Report> = {}): Report => ({
  outputs: { count: 1 },
  details: { lines: ['a'] },
  summary: new Markdown().line('what came of it'),
  ...more,
});
const written = (name: (typeof files)[number]): Promise<string> => readFile(join(folder, name), 'utf8');
const broken = new McprtError('test-broken', { what: 'it broke', why: 'a fault', next: 'mend it' });
const errors = (): string[] => printed.split('\n').filter((line) => line.startsWith('::error'));

describe('an operation', () => {
  it('is given its target, and tells outputs, result and summary', async () => {
    let opened: Opened<OperationInputs> | undefined;
    await runOperation(door(), async (given) => {
      opened = given;
      return report();
    });
    expect(opened?.target.domain).toBe('example.com');
    expect(opened?.connection).toBeUndefined();
    const [, result = ''] = /result<<(?:\S+)\n(.*)\n/.exec(await written('GITHUB_OUTPUT')) ?? [];
    expect(JSON.parse(result)).toEqual({
      schema: 'mcprt.result/1',
      action: 'action-test',
      operation: 'try',
      count: 1,
      lines: ['a'],
    });
    expect(await written('GITHUB_STEP_SUMMARY')).toContain('what came of it');
    expect([errors(), process.exitCode ?? 0]).toEqual([[], 0]);
  });

  it('that failed tells what came before it, is annotated once, and fails the step', async () => {
    const order: string[] = [];
    await runOperation(door(), async () =>
      report({
        failure: { error: broken },
        afterwards: async () => void order.push(await written('GITHUB_STEP_SUMMARY')),
      }),
    );
    expect(await written('GITHUB_OUTPUT')).toContain('count');
    expect(order).toEqual([expect.stringContaining('what came of it')]);
    expect(await written('GITHUB_STEP_SUMMARY')).not.toContain('it broke');
    expect([errors().length, process.exitCode]).toEqual([1, 1]);
    expect(printed).toContain('test-broken');
  });

  it('that throws is summed up with what to do', async () => {
    await runOperation(door(), () => Promise.reject(broken));
    expect(await written('GITHUB_STEP_SUMMARY')).toMatch(/test-broken[\s\S]*mend it/);
    expect([errors().length, process.exitCode]).toEqual([1, 1]);
  });

  it('that takes longer than it may is told so', async () => {
    const forever = ({ signal }: Opened<OperationInputs>): Promise<undefined> =>
      new Promise((_, reject) => {
        const alive = setInterval(() => undefined, 1000);
        signal.addEventListener('abort', () => {
          clearInterval(alive);
          reject(signal.reason);
        });
      });
    await runOperation(door({ timeout: 20 }), forever);
    expect(printed).toContain('job-timeout');
    expect(process.exitCode).toBe(1);
  });

  it('is refused before it begins where its inputs are, and keeps what it warned of', async () => {
    const work = jest.fn(async ({ warn, warned }: Opened<OperationInputs>) => {
      warn('look here');
      expect(warned).toEqual(['look here']);
      return undefined;
    });
    await runOperation(door({ domain: 'https://example.com' }), work);
    expect(work).not.toHaveBeenCalled();
    expect(printed).toContain('input-invalid');
    await runOperation(door(), work);
    expect(printed).toContain('::warning::look here');
    expect(await written('GITHUB_OUTPUT')).toBe('');
  });

  it('tells no more than GitHub takes, and says so', async () => {
    const rows = Array.from({ length: 60_000 }, (_, index) => [`row ${index}`, 'é漢🎉']);
    await runOperation(door(), async ({ warn }) => {
      for (let index = 0; index < 30; index += 1) warn(`warning ${index}`);
      return report({
        details: { lines: rows.map(([name]) => name) },
        summary: new Markdown().table(['a', 'b'], rows),
        failure: { error: broken },
        // As a diagnosis does, which comes later into the same file.
        afterwards: () => new Markdown().table(['a', 'b'], rows).write(),
      });
    });
    const summary = await written('GITHUB_STEP_SUMMARY');
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(1024 * 1024);
    expect(summary).toMatch(/row 0[\s\S]*…shortened/);
    const outputs = await written('GITHUB_OUTPUT');
    expect(2 * outputs.length).toBeLessThan(1024 * 1024);
    const [, result = ''] = /result<<(?:\S+)\n(.*)\n/.exec(outputs) ?? [];
    expect(JSON.parse(result)).toMatchObject({ action: 'action-test', omitted: { lines: expect.any(Number) } });
    const warnings = printed.split('\n').filter((line) => line.startsWith('::warning'));
    expect([warnings.length, warnings.at(-1)]).toEqual([
      10,
      '::warning::21 more warnings: see the log of this step, and its summary',
    ]);
    expect(printed).toContain('\nwarning: warning 29\n');
    expect(errors()).toHaveLength(1);
  });
});
