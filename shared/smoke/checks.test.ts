import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { WebError } from '../platform/web.js';
import { type Check, type Checks, runSuite } from './checks.js';

const refusal = (what = 'it broke'): McprtError =>
  new McprtError('smoke-tcp', { what, why: 'the secret leaked', next: 'hide secret' });

async function run(
  names: readonly string[],
  body: (checks: Checks) => Promise<void>,
  signal = new AbortController().signal,
  record: Check[] = [],
) {
  const lines: string[] = [];
  const ports = {
    progress: (line: string) => void lines.push(line),
    hide: (text: string) => text.replaceAll('secret', '***'),
    signal,
  };
  await runSuite(record, 'tenant', names, ports, body);
  return { record, lines, states: record.map(({ name, status }) => `${name} ${status}`) };
}

describe('a suite', () => {
  it('records what passed, with what was seen last', async () => {
    const { record, lines } = await run(['a'], async (checks) => {
      const value = await checks.need('a', async (note) => {
        note('first');
        note('then');
        return 7;
      });
      expect(value).toBe(7);
    });
    expect(record).toMatchObject([{ suite: 'tenant', name: 'a', status: 'passed', detail: 'then' }]);
    expect(record[0]).not.toHaveProperty('failure');
    expect(lines[0]).toMatch(/^✓ tenant: a \(then\), \d+ ms$/);
  });

  it('ends when a check that is needed fails, and says of the rest after what', async () => {
    const { record, states } = await run(['a', 'b', 'c'], async (checks) => {
      await checks.need('a', async () => undefined);
      await checks.need('b', () => Promise.reject(refusal()));
      await checks.need('c', () => Promise.reject(new Error('never asked')));
    });
    expect(states).toEqual(['a passed', 'b failed', 'c skipped']);
    expect(record[2]).toMatchObject({ detail: 'after “b” failed', ms: 0 });
  });

  it('goes on when another check fails', async () => {
    const seen: boolean[] = [];
    const { states } = await run(['a', 'b'], async (checks) => {
      seen.push(await checks.look('a', () => Promise.reject(refusal())));
      seen.push(await checks.look('b', async () => undefined));
    });
    expect(states).toEqual(['a failed', 'b passed']);
    expect(seen).toEqual([false, true]);
  });

  it('records once what was skipped on purpose, and tells what was not needed', async () => {
    const { record } = await run(['a', 'b'], async (checks) => checks.skip('a', 'no kubeconfig'));
    expect(record.map(({ name, detail }) => [name, detail])).toEqual([
      ['a', 'no kubeconfig'],
      ['b', 'not needed'],
    ]);
  });

  it('is not taken for another one that has checks of the same name', async () => {
    const before: Check[] = [{ suite: 'preview', name: 'a', status: 'passed', ms: 1, detail: '' }];
    const { states } = await run(['a'], async () => undefined, undefined, before);
    expect(states).toEqual(['a passed', 'a skipped']);
  });

  it('takes secrets out of all that it keeps and tells', async () => {
    const { record, lines } = await run(['a', 'b'], async (checks) => {
      await checks.look('a', async (note) => note('secret'));
      await checks.look('b', async (note) => {
        note('secret');
        throw refusal('a secret was seen');
      });
    });
    expect(JSON.stringify([record, lines])).not.toContain('secret');
    expect(record[1]?.failure).toEqual({
      code: 'smoke-tcp',
      what: 'a *** was seen',
      why: 'the *** leaked',
      next: 'hide ***',
    });
  });

  it('tells a failure on the way as what it is to a reader', async () => {
    const { record } = await run(['a'], async (checks) => {
      await checks.need('a', () => Promise.reject(new WebError('tls', 'GET https://m.example.com/', 'CERT')));
    });
    expect(record[0]?.failure).toMatchObject({ code: 'smoke-tls', why: 'GET https://m.example.com/: CERT' });
  });

  it('asks for a report of what nobody has thought of', async () => {
    const { record } = await run(['a'], async (checks) => {
      await checks.need('a', () => Promise.reject(new TypeError('x is undefined')));
    });
    expect(record[0]?.failure).toMatchObject({ code: 'smoke-unexpected' });
    expect(record[0]?.failure?.why).toContain('x is undefined');
  });

  it('throws why it was cancelled, and records no failure for it', async () => {
    const controller = new AbortController();
    const reason = new Error('the job was cancelled');
    const record: Check[] = [];
    const body = async (checks: Checks): Promise<void> => {
      await checks.look('a', async () => {
        controller.abort(reason);
        throw new Error('aborted');
      });
    };
    await expect(run(['a', 'b'], body, controller.signal, record)).rejects.toBe(reason);
    expect(record).toEqual([]);
  });

  it('throws what goes wrong outside of its checks', async () => {
    await expect(run(['a'], () => Promise.reject(new Error('outside')))).rejects.toThrow('outside');
  });
});
