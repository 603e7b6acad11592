import { describe, expect, it } from '@jest/globals';
import { WebError } from '../platform/web.js';
import { until } from './until.js';

const signal = new AbortController().signal;

describe('until', () => {
  it('looks once, and not again when it is so', async () => {
    let looks = 0;
    const isSo = async (): Promise<boolean> => ++looks > 0;
    expect(await until(60_000, signal, isSo)).toBe(true);
    expect(looks).toBe(1);
  });

  it('looks again until it is so', async () => {
    let looks = 0;
    expect(await until(60_000, signal, async () => ++looks === 3)).toBe(true);
    expect(looks).toBe(3);
  });

  it('looks once when there is no time at all', async () => {
    let looks = 0;
    const isSo = async (): Promise<boolean> => ++looks > 1;
    expect(await until(0, signal, isSo)).toBe(false);
    expect(looks).toBe(1);
  });

  it('gives up at the deadline', async () => {
    let looks = 0;
    const isSo = async (): Promise<boolean> => ++looks < 0;
    expect(await until(800, signal, isSo)).toBe(false);
    expect(looks).toBeGreaterThan(1);
  });

  it('takes a connection that breaks for not yet', async () => {
    let looks = 0;
    const isSo = async (): Promise<boolean> => {
      looks += 1;
      if (looks === 1) throw new WebError('tcp', 'GET /', 'reset');
      return true;
    };
    expect(await until(60_000, signal, isSo)).toBe(true);
  });

  it.each([new WebError('tls', 'GET /', 'CERT'), new WebError('dns', 'GET /', 'NXDOMAIN'), new Error('other')])(
    'passes on what waiting does not change: %s',
    async (error) => {
      await expect(until(60_000, signal, () => Promise.reject(error))).rejects.toBe(error);
    },
  );

  it('throws why it was cancelled', async () => {
    const controller = new AbortController();
    const reason = new Error('the job was cancelled');
    const isSo = async (): Promise<boolean> => {
      controller.abort(reason);
      return false;
    };
    await expect(until(60_000, controller.signal, isSo)).rejects.toBe(reason);
  });
});
