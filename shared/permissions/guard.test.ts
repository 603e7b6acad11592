import { describe, expect, it } from '@jest/globals';
import { openCluster } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import { guarded } from './guard.js';

function recorded() {
  const sent: string[] = [];
  const cluster = openCluster({
    async call({ method }) {
      sent.push(method);
      return { status: 200, body: JSON.stringify({ kind: 'Secret', metadata: { name: 'one' } }) };
    },
    lines: () => {
      throw new Error('nothing is watched');
    },
    webSocket: () => {
      throw new Error('nothing is opened');
    },
    serverTime: () => undefined,
    calls: 0,
    close: async () => undefined,
  });
  return { cluster, sent };
}

const ref = { name: 'one', namespace: 'web' };

describe('guarded', () => {
  it('sends a read beside the question, and hands its answer over after it', async () => {
    const { cluster, sent } = recorded();
    const question = Promise.withResolvers<void>();
    let isAnswered = false;
    const read = guarded(cluster, question.promise).get(kinds.secret, ref);
    void read.then(() => (isAnswered = true));
    await new Promise(setImmediate);
    expect([sent, isAnswered]).toEqual([['GET'], false]);
    question.resolve();
    expect((await read)?.metadata.name).toBe('one');
  });

  it('sends no write before the question is answered, and none when something is missing', async () => {
    const { cluster, sent } = recorded();
    const guard = guarded(cluster, Promise.reject(new Error('missing')));
    await expect(guard.delete(kinds.secret, ref)).rejects.toThrow('missing');
    await expect(guard.patch(kinds.secret, ref, [])).rejects.toThrow('missing');
    await expect(guard.get(kinds.secret, ref)).rejects.toThrow('missing');
    expect(sent).toEqual(['GET']);
  });
});
