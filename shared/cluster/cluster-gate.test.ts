import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { answeringCluster } from '../permissions/testing/asked-cluster.js';
import { kinds } from './objects.js';

function recorded(allowed: Promise<void>) {
  const sent: string[] = [];
  const cluster = answeringCluster(async ({ method }) => {
    sent.push(method);
    return { status: 200, body: JSON.stringify({ kind: 'Secret', metadata: { name: 'one' } }) };
  }, allowed);
  return { cluster, sent };
}

const ref = { name: 'one', namespace: 'web' };

describe('a cluster behind a question about permissions', () => {
  it('sends a read beside the question, and hands its answer over after it', async () => {
    const question = Promise.withResolvers<void>();
    const { cluster, sent } = recorded(question.promise);
    let isAnswered = false;
    const read = cluster.get(kinds.secret, ref);
    void read.then(() => (isAnswered = true));
    await new Promise(setImmediate);
    expect([sent, isAnswered]).toEqual([['GET'], false]);
    question.resolve();
    expect((await read)?.metadata.name).toBe('one');
  });

  it('sends nothing but reads before the question is answered, and counts no write when something is missing', async () => {
    const { cluster, sent } = recorded(Promise.reject(new Error('missing')));
    await expect(cluster.delete(kinds.secret, ref)).rejects.toThrow('missing');
    await expect(cluster.patch(kinds.secret, ref, [])).rejects.toThrow('missing');
    await expect(cluster.get(kinds.secret, ref)).rejects.toThrow('missing');
    await expect(cluster.webSocket(ref, 'portforward', 'v4')).rejects.toThrow('missing');
    const options = { resourceVersion: '1', signal: new AbortController().signal };
    await expect(cluster.watch(kinds.secret, options).next()).rejects.toThrow('missing');
    expect([sent, cluster.writes]).toEqual([['GET'], 0]);
  });

  it('ends no process by a refusal that nobody has waited for yet, nor by a read that fails after it', () => {
    const program = `
      import { openCluster } from ${JSON.stringify(new URL('./cluster.js', import.meta.url).href)};
      import { kinds } from ${JSON.stringify(new URL('./objects.js', import.meta.url).href)};
      const refused = () => new Promise((_, reject) => setTimeout(() => reject(new Error('missing')), 10));
      const failing = { call: () => new Promise((_, reject) => setTimeout(() => reject(new Error('cut')), 20)) };
      openCluster(failing, refused());
      const asked = openCluster(failing, refused());
      await asked.get(kinds.secret, { name: 'one' }).catch(({ message }) => console.log(message));
      setTimeout(() => console.log('end'), 40);
    `;
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, 'missing\nend\n']);
  });
});
