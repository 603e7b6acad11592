import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { runStep, type StepEnd } from './run-step.js';

const folder = mkdtempSync(join(tmpdir(), 'mcprt-step-test-'));
const program = join(import.meta.dirname, 'step.js');

/** Runs a step of some lines, and asks it to end as soon as it has printed `ready`. */
async function run(source: string, signal = new AbortController()): Promise<StepEnd & { lines: string[] }> {
  const entry = join(folder, 'entry.mjs');
  writeFileSync(entry, source);
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
    if (line === 'ready') signal.abort();
  };
  const env = { PATH: process.env.PATH };
  return { ...(await runStep({ program, entry, env, onLine, signal: signal.signal })), lines };
}

describe('a step', () => {
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is heard to its last line, and ends with its code', async () => {
    const end = await run(
      `console.log('one'); console.error('two'); process.stdout.write('three'); process.exitCode = 3;`,
    );
    expect({ ...end, lines: end.lines.sort() }).toEqual({ code: 3, signal: null, lines: ['one', 'three', 'two'] });
  });

  it('is asked to end once', async () => {
    const source = `let asked = 0;
process.on('SIGINT', () => { asked += 1; setTimeout(() => { console.log('asked ' + asked); process.exit(1); }, 200); });
setInterval(() => undefined, 1000);
console.log('ready');`;
    expect(await run(source)).toEqual({ code: 1, signal: null, lines: ['ready', 'asked 1'] });
  });

  it('does nothing where it was asked to end before', async () => {
    const stopped = new AbortController();
    stopped.abort();
    expect(await run(`setTimeout(() => console.log('done'), 20_000);`, stopped)).toMatchObject({
      signal: 'SIGINT',
      lines: [],
    });
  });

  it('is in no way kept from its end by the one who listens', async () => {
    expect(await run(`setTimeout(() => undefined, 10);`)).toEqual({ code: 0, signal: null, lines: [] });
  });

  it('hears that nobody listens any more, and is not ended by its next line', async () => {
    const source = `process.on('SIGINT', () => { console.log('nobody reads this'); process.exitCode = 7; clearInterval(alive); });
const alive = setInterval(() => undefined, 1000);
process.disconnect();`;
    expect(await run(source)).toMatchObject({ code: 7, signal: null });
  });
});
