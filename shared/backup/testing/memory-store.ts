import { McprtError } from '../../errors.js';
import type { Ports } from '../ports.js';
import { isWanted, type Store } from '../stores/store.js';

/** A store in memory, for tests, with the names that it keeps. */
export function keepingStore(): { store: Store; names: () => string[] } {
  const kept = new Map<string, Buffer>();
  const read = async (name: string): Promise<Buffer> => {
    const found = kept.get(name);
    if (found === undefined) throw new McprtError('store-miss', { what: 'none', why: 'none', next: 'none' });
    return found;
  };
  return {
    names: () => [...kept.keys()],
    store: {
      name: 'directory',
      fate: 'this memory',
      async save(name, bytes) {
        kept.set(name, bytes);
        return { where: name, until: undefined, notes: [] };
      },
      read,
      list: async (wanted) => ({
        entries: [...kept.keys()]
          .filter((name) => isWanted(name, wanted))
          .map((name) => ({
            name,
            foreign: undefined,
            fetch: () => read(name),
            remove: async () => void kept.delete(name),
          })),
        cut: undefined,
        where: 'in memory',
      }),
      holds: async () => ({ until: undefined, words: 'as long as the test' }),
    },
  };
}

/** Ports that say nothing to anybody, for tests. */
export function quietPorts(stores: Store[], more: Partial<Ports> = {}): Ports {
  return {
    stores,
    progress: () => undefined,
    warn: () => undefined,
    signal: new AbortController().signal,
    mask: () => undefined,
    ...more,
  };
}
