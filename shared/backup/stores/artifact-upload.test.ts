import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../../errors.js';
import type { ActionsService } from './actions-service.js';
import { type ArtifactPorts, artifactStore } from './artifact-store.js';

const now = new Date('2026-03-01T00:00:00Z');
const unasked = (): never => {
  throw new Error('not asked for');
};

function store(change: Partial<ArtifactPorts> = {}, service: Partial<ActionsService> = {}) {
  const uploaded: unknown[][] = [];
  const ports: ArtifactPorts = {
    service: { findOwnArtifact: unasked, download: unasked, ...service } as ActionsService,
    upload: async (...words) => void uploaded.push(words),
    retentionDays: 30,
    retentionLimit: 90,
    now: () => now,
    origin: { repositoryId: '42', repository: 'acme/platform', branch: 'main' },
    ...change,
  };
  return { store: artifactStore(ports), uploaded };
}

describe('an upload', () => {
  it('is one file under the name of the backup', async () => {
    const { store: artifacts, uploaded } = store();
    const bytes = Buffer.from('sealed');
    expect(await artifacts.save('name', bytes)).toEqual({
      where: 'artifact name',
      until: new Date('2026-03-31T00:00:00Z'),
      notes: [],
    });
    expect(uploaded).toEqual([['name', 'backup.tar', bytes, 30]]);
  });

  it.each<[string, number, number | undefined, string | undefined, RegExp | undefined]>([
    ['as long as was asked, where nobody says what is granted', 7, undefined, '2026-03-08', undefined],
    ['as long as is granted', 90, 90, '2026-05-30', undefined],
    ['no longer than is granted, which is told', 91, 90, '2026-05-30', /^asked to be kept for 91 days, granted 90/],
    ['as the repository has it, where nothing was asked', 0, 90, '2026-05-30', undefined],
    ['nobody knows how long', 0, undefined, undefined, undefined],
    ['one day', 1, 90, '2026-03-02', undefined],
  ])('is kept %s', async (_, retentionDays, retentionLimit, until, note) => {
    const { store: artifacts } = store({ retentionDays, retentionLimit });
    const saved = await artifacts.save('name', Buffer.alloc(0));
    expect(saved.until).toEqual(until === undefined ? undefined : new Date(`${until}T00:00:00Z`));
    expect(saved.notes).toEqual(note === undefined ? [] : [expect.stringMatching(note)]);
  });

  it.each<[McprtError['code'], string[]]>([
    ['store-duplicate', ['Received non-retryable error: (409) Conflict', 'an artifact already exists']],
    ['store-full', ['Artifact storage quota has been hit', 'Insufficient usage to create artifact']],
    [
      'store-unavailable',
      [
        'Unable to get the ACTIONS_RUNTIME_TOKEN env variable',
        'Unable to get the ACTIONS_RESULTS_URL env variable',
        'Invalid token',
        'request failed: (401)',
        'request failed: (403)',
        'request failed: (503)',
        'Failed to make request after 5 attempts',
        'connect ECONNREFUSED',
        'getaddrinfo ENOTFOUND',
        'ETIMEDOUT',
      ],
    ],
    ['store-write', ['something else', '(400) bad request']],
  ])('that fails is %s', async (code, reasons) => {
    for (const reason of reasons) {
      const { store: artifacts } = store({ upload: () => Promise.reject(new Error(reason)) });
      await expect(artifacts.save('name', Buffer.alloc(0))).rejects.toMatchObject({ code, why: reason });
    }
  });

  it('that may not be tells another way than one that is not answered', async () => {
    const nextOf = async (reason: string): Promise<string> => {
      const { store: artifacts } = store({ upload: () => Promise.reject(new Error(reason)) });
      const error: unknown = await artifacts.save('name', Buffer.alloc(0)).catch((thrown: unknown) => thrown);
      return error instanceof McprtError ? error.next : '';
    };
    expect(await nextOf('(401)')).toContain('stores: directory');
    expect(await nextOf('(500)')).toContain('githubstatus');
  });
});

describe('what this run has stored', () => {
  it('is read from where the service says', async () => {
    const asked: unknown[] = [];
    const failure = new McprtError('store-read', { what: 'w', why: 'y', next: 'n' });
    const { store: artifacts } = store(
      {},
      {
        findOwnArtifact: async (name) => `url of ${name}`,
        download: async (url) => {
          asked.push(url);
          throw failure;
        },
      },
    );
    await expect(artifacts.read('name')).rejects.toBe(failure);
    expect(asked).toEqual(['url of name']);
  });

  it('is missed where the service does not list it', async () => {
    const { store: artifacts } = store({}, { findOwnArtifact: async () => undefined });
    await expect(artifacts.read('name')).rejects.toMatchObject({ code: 'store-miss' });
  });
});

describe('what is there of others', () => {
  it('is listed by GitHub’s record, looked for where it is, and deleted by its number', async () => {
    const asked: string[] = [];
    const artifacts = [
      { id: 1, name: 'backup-1', run: { repositoryId: 42, branch: 'main' }, expiresAt: undefined },
      { id: 2, name: 'backup-2', run: { repositoryId: 7, branch: 'main' }, expiresAt: undefined },
      { id: 3, name: 'other', run: undefined, expiresAt: undefined },
    ];
    const { store: listed } = store(
      {},
      {
        listArtifacts: async (name) => {
          asked.push(`list ${name}`);
          return { items: artifacts, cut: undefined };
        },
        defaultBranch: async () => 'main',
        artifactUrl: async (id) => `url-${id}`,
        download: async (url) => {
          asked.push(url);
          throw new Error('enough');
        },
        remove: async (kind, id) => void asked.push(`remove ${kind} ${id}`),
      },
    );
    const { entries, where } = await listed.list({ prefix: 'backup-' });
    expect(entries.map(({ name, foreign }) => [name, foreign !== undefined])).toEqual([
      ['backup-1', false],
      ['backup-2', true],
    ]);
    expect(where).toContain('3 artifacts');
    await expect(entries[0]?.fetch()).rejects.toThrow('enough');
    await entries[0]?.remove();
    await listed.list({ name: 'backup-1' });
    expect(asked).toEqual(['list undefined', 'url-1', 'remove artifacts 1', 'list backup-1']);
  });
});
