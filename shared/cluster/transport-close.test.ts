import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

/** Closes a transport in a process of its own, while something throws that nobody catches. */
function closedWhile(code: string): { status: number | null; stdout: string } {
  const program = `
    import { openTransport } from ${JSON.stringify(new URL('./transport.js', import.meta.url).href)};
    const credentials = { server: 'https://localhost', context: 'x', headers: {}, tls: {}, secrets: [] };
    const transport = openTransport(credentials, { userAgent: 'test', deadline: 1000 });
    process.nextTick(() => { throw Object.assign(new Error('unheard'), { code: ${JSON.stringify(code)} }); });
    await transport.close();
    console.log('said what was done');
  `;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  return { status, stdout };
}

describe('closing a transport', () => {
  it('outlives what a cancelled stream says of its end', () => {
    expect(closedWhile('UND_ERR_DESTROYED')).toEqual({ status: 0, stdout: 'said what was done\n' });
  });

  it('hides no other error', () => {
    expect(closedWhile('EIO')).toMatchObject({ stdout: '' });
    expect(closedWhile('EIO').status).not.toBe(0);
  });
});
