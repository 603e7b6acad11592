import { describe, expect, it } from '@jest/globals';
import { usualKubeconfig } from './usual-kubeconfig.js';

describe('a kubeconfig that nobody names', () => {
  it('is the one of kubectl', async () => {
    const asked: string[] = [];
    const isThere = async (path: string): Promise<boolean> => asked.push(path) > 0;
    expect(await usualKubeconfig({ KUBECONFIG: '/a:/b', HOME: '/home/me' }, isThere)).toBe('/a:/b');
    expect(await usualKubeconfig({ HOME: '/home/me' }, isThere)).toBe('/home/me/.kube/config');
    expect(await usualKubeconfig({ HOME: '/home/me' }, async () => false)).toBe('');
    expect(await usualKubeconfig({}, isThere)).toBe('');
    expect(asked).toEqual(['/home/me/.kube/config']);
  });
});
