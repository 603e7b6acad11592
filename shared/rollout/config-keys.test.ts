import { describe, expect, it } from '@jest/globals';
import { keysRead } from './config-keys.js';
import { workload } from './testing/objects.js';

const keys = ['A', 'B'];
const reading = (container: object, { list = 'containers', volumes = [] as object[] } = {}) =>
  workload('api', {}, { pod: { [list]: [{ name: 'first' }, { name: 'api', ...container }], volumes } });
const all = (name: string) => ({ envFrom: [{ secretRef: { name: 's' } }, { configMapRef: { name } }] });
const one = (name: string, key = 'A') => ({
  env: [
    { name: 'X', value: 'b' },
    { name: 'Y', valueFrom: { configMapKeyRef: { name, key } } },
  ],
});
const mount = (subPath: string, source: object) =>
  reading(
    { volumeMounts: [{ name: 'v', mountPath: '/m', ...(subPath === '' ? {} : { subPath }) }] },
    { volumes: [{ name: 'v', ...source }] },
  );
const items = [{ key: 'A', path: 'conf/a.xml' }];
const projected = {
  projected: { sources: [{ secret: { name: 'config' } }, { configMap: { name: 'config', items } }] },
};

describe('keysRead', () => {
  it.each<[string, ReturnType<typeof reading>, string[]]>([
    ['a container that takes the whole ConfigMap', reading(all('config')), ['A', 'B']],
    ['a container that takes one key', reading(one('config')), ['A']],
    ['a container that takes another key', reading(one('config', 'C')), []],
    ['an init container', reading(all('config'), { list: 'initContainers' }), ['A', 'B']],
    ['another ConfigMap', reading({ ...all('other'), ...one('other') }), []],
    ['a Secret of that name', reading({ envFrom: [{ secretRef: { name: 'config' } }] }), []],
    ['no environment', workload('api', { api: 'i' }), []],
    ['a volume as a whole, whose files change without a restart', mount('', { configMap: { name: 'config' } }), []],
    ['one file of a volume', mount('A', { configMap: { name: 'config' } }), ['A']],
    ['one file under another name', mount('conf/a.xml', { configMap: { name: 'config', items } }), ['A']],
    ['a folder of a volume', mount('conf', projected), ['A']],
    ['a file that no key gives', mount('con', projected), []],
    ['a file of another ConfigMap', mount('A', { configMap: { name: 'other' } }), []],
    ['a volume that nothing mounts', reading({}, { volumes: [{ name: 'v', configMap: { name: 'config' } }] }), []],
  ])('tells the keys that are read by %s', (_, live, read) => {
    expect(keysRead(live, 'config', keys)).toEqual(read);
  });
});
