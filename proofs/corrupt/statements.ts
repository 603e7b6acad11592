import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { packArchive } from '../../shared/backup/archive.js';
import { keyId } from '../../shared/backup/keys.js';
import { type BackupContext, signStatement } from '../../shared/backup/statement.js';
import type { ErrorCode } from '../../shared/errors.js';
import { type Case, casesOf, type Material, signedBackup, withContext } from './material.js';

interface Envelope {
  payloadType: string;
  payload: string;
  signatures: { keyid: string; sig: string }[];
}

interface Statement {
  predicate: Record<string, unknown>;
  [member: string]: unknown;
}

/** Class, name, code and statement of a case. */
type Changed = [string, string, ErrorCode, Buffer];
/** Class, code and changed members of a context. */
type OtherContext = [string, ErrorCode, Partial<BackupContext>];

const hour = 3600_000;

/** Statements that nobody signed, that somebody else signed, and that are written as no statement of ours is. */
export async function wrongStatements(material: Material): Promise<Case[]> {
  const { archive, backupKey, foreignSigner, context, random, each } = material;
  const own = JSON.parse(archive.statement.toString()) as Envelope;
  const text = archive.statement.toString();
  const payloadText = Buffer.from(own.payload, 'base64').toString();
  const first = own.signatures[0] ?? { keyid: '', sig: '' };
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const digest = digestIn(payloadText);
  const signedBy = (signer: KeyObject): Envelope => JSON.parse(signStatement(context, digest, signer)) as Envelope;
  const envelope = (change: Partial<Envelope>): Buffer => Buffer.from(JSON.stringify({ ...own, ...change }));
  const resigned = (bytes: string): Buffer =>
    envelope({
      payload: base64(bytes),
      signatures: [{ keyid: keyId(backupKey.signer), sig: signature(bytes, backupKey.signer) }],
    });
  const altered = alteredContexts(payloadText);

  const signedAs = (keyid: string, sig: string): Buffer => envelope({ signatures: [{ keyid, sig }] });
  const signatureOf = (sig: string): Buffer => signedAs(first.keyid, sig);
  const bare = sign(null, Buffer.from(payloadText), backupKey.signer).toString('base64');
  const olderOnes = (JSON.parse(material.olderArchive.statement.toString()) as Envelope).signatures;
  const schemas = ['mcprt.backup/3', 'mcprt.backup/0', 'mcprt.backup/1.1', 'MCPRT.BACKUP/1', 'velero/1', ''];
  const ofSchema = (schema: string): Buffer =>
    resigned(changedContext(payloadText, { schema, field: 'of another version' }));

  const statements: Changed[] = [
    ...altered.map(([name, changed]): Changed => {
      return ['statement altered', name, 'backup-signature', envelope({ payload: base64(changed) })];
    }),
    ['unsigned', 'no signature', 'backup-unsigned', envelope({ signatures: [] })],
    ['unsigned', 'unknown key', 'backup-unsigned', signedAs('0'.repeat(32), first.sig)],
    ['unsigned', 'key without a name', 'backup-unsigned', signedAs('', first.sig)],
    ['unsigned', 'name of a key in capitals', 'backup-unsigned', signedAs(first.keyid.toUpperCase(), first.sig)],
    ...[stranger, foreignSigner].flatMap((signer, at): Changed[] => {
      const other = signedBy(signer);
      const underOurName = signatureOf(other.signatures[0]?.sig ?? '');
      return [
        ['other signer', `key ${at}`, 'backup-unsigned', Buffer.from(JSON.stringify(other))],
        ['other signer under our name', `key ${at}`, 'backup-signature', underOurName],
      ];
    }),
    ['signature', 'of the bare statement', 'backup-signature', signatureOf(bare)],
    ['signature', 'empty', 'backup-signature', signatureOf('')],
    ['signature', 'of zeros', 'backup-signature', signatureOf(Buffer.alloc(64).toString('base64'))],
    ['signature', 'of the older backup', 'backup-signature', envelope({ signatures: olderOnes })],
    ...Array.from({ length: each }, (_, at): Changed => {
      return ['signature', `random ${at}`, 'backup-signature', signatureOf(random.bytes(64).toString('base64'))];
    }),
    ...oddEnvelopes(own, text).map(([name, bytes]): Changed => ['envelope', name, 'backup-malformed', bytes]),
    ...oddStatements(payloadText).map(([name, changed]): Changed => {
      return ['signed statement of another form', name, 'backup-malformed', resigned(changed)];
    }),
    ...schemas.map((schema): Changed => ['schema', schema, 'backup-schema', ofSchema(schema)]),
  ];
  const made = statements.map(([kind, name, code, statement]) =>
    casesOf(kind, [[name, code, packArchive({ statement, payload: archive.payload })]]),
  );
  return (await Promise.all(made)).flat();
}

/** Valid backups that do not belong here, or not any more, and a context that was put around another content. */
export async function wrongContexts(material: Material, now: Date): Promise<Case[]> {
  const { archive, context, older, newest } = material;
  const at = (offset: number): string => new Date(now.getTime() + offset).toISOString();
  const made: OtherContext[] = [
    ...['43', '0', '', '4200000000000', '042'].map((repositoryId): OtherContext => {
      return ['repository', 'backup-foreign-repository', { repositoryId }];
    }),
    ...['example.org', 'example.com.evil.org', 'EXAMPLE.COM', '', 'sub.example.com'].map((domain): OtherContext => {
      return ['domain', 'backup-foreign-domain', { domain }];
    }),
    ...['0', context.fingerprint.toUpperCase(), `${context.fingerprint} `].map((fingerprint): OtherContext => {
      return ['cluster', 'backup-foreign-cluster', { fingerprint }];
    }),
    ...[15, 30, 400, 20_000].map((days): OtherContext => {
      return ['too old', 'backup-too-old', { createdAt: at(-days * 24 * hour) }];
    }),
    ...[2, 48, 24 * 365 * 50].map((hours): OtherContext => {
      return ['from the future', 'backup-from-future', { createdAt: at(hours * hour) }];
    }),
    ['replay', 'backup-rollback', { generation: context.generation - 1 }],
  ];
  const inner: Partial<BackupContext>[] = [
    { generation: context.generation + 1 },
    { generation: 99_999_999 },
    { createdAt: at(-hour) },
    { expiresAt: at(90 * 24 * hour) },
    { runId: '77' },
    { runAttempt: '2' },
    { workflow: 'evil.yml' },
    { repository: 'evil/platform' },
    { layout: 'mono' },
    { previous: '0'.repeat(64) },
    { certManager: 'v0.1.0' },
    { tool: 'other' },
    { recipients: ['0000000000000000'] },
    { inventory: { ...context.inventory, secrets: 0 } },
  ];
  const around = 'context around another content';
  const cases = await Promise.all([
    casesOf('replay', [['the backup before', 'backup-rollback', older]]),
    ...made.map(([kind, code, change]) =>
      casesOf(kind, [[JSON.stringify(change), code, withContext(material, change)]]),
    ),
    casesOf(around, [
      ...inner.map((change) => {
        const bytes = signedBackup(material, archive.payload, { ...context, ...change });
        return [Object.keys(change).join(), 'backup-inner', bytes] as const;
      }),
      ['of the backup before', 'backup-inner', signedBackup(material, material.olderArchive.payload, context)],
    ]),
  ]);
  const name = 'another one restores';
  return [
    ...cases.flat(),
    { class: 'repository', name, code: 'backup-foreign-repository', bytes: newest, run: { repositoryId: '7' } },
    { class: 'domain', name, code: 'backup-foreign-domain', bytes: newest, run: { domain: 'example.net' } },
  ];
}

/** One change for every member that a context has. */
function alteredContexts(payload: string): [string, string][] {
  const statement = JSON.parse(payload) as Statement;
  const other = (value: unknown): unknown => {
    if (typeof value === 'number') return value + 1;
    return typeof value === 'string'
      ? `${value}0`
      : Array.isArray(value)
        ? [...value, 'x']
        : { ...Object(value), secrets: 0 };
  };
  return [
    ...Object.entries(statement.predicate).map(([name, value]): [string, string] => [
      name,
      changedContext(payload, { [name]: other(value) }),
    ]),
    ['subject', payload.replace(/"sha256":"[0-9a-f]{4}/, '"sha256":"0000')],
    ['one space more', `${payload} `],
    ['nothing', ''],
  ];
}

function changedContext(payload: string, change: Record<string, unknown>): string {
  const statement = JSON.parse(payload) as Statement;
  return JSON.stringify({ ...statement, predicate: { ...statement.predicate, ...change } });
}

/** Envelopes with a valid signature that are not written as ours are: two readers could read two things. */
function oddEnvelopes(own: Envelope, text: string): [string, Buffer][] {
  const first = own.signatures[0] ?? { keyid: '', sig: '' };
  const many = { ...own, signatures: Array.from({ length: 9 }, () => first) };
  const odd: [string, string | Buffer][] = [
    ['payload twice, ours last', text.replace('"payload":', `"payload":"${base64('{}')}","payload":`)],
    ['payload twice, ours first', text.replace(',"signatures"', `,"payload":"${base64('{}')}","signatures"`)],
    ['type twice', text.replace('{', '{"payloadType":"x",')],
    ['signatures twice', text.replace(/}$/, ',"signatures":[]}')],
    ['key’s name twice', text.replace('"keyid":', '"keyid":"0","keyid":')],
    ['member of another form', text.replace('{', '{"extra":1,')],
    ['prototype', text.replace('{', '{"__proto__":{"payload":""},')],
    ['trailing data', `${text}{}`],
    ['trailing space', `${text}\n`],
    ['leading space', ` ${text}`],
    ['byte order mark', `\uFEFF${text}`],
    ['in two lines', JSON.stringify(own, null, 1)],
    ['escaped letter', text.replace('"payload"', '"\\u0070ayload"')],
    ['other type', JSON.stringify({ ...own, payloadType: 'application/json' })],
    ['nine signatures', JSON.stringify(many)],
    [
      'base64url',
      JSON.stringify({ ...own, payload: Buffer.from(own.payload, 'base64').toString('base64url').replace(/^./, '_') }),
    ],
    ['base64 with spaces', JSON.stringify({ ...own, payload: ` ${own.payload}` })],
    ['base64 that is cut', JSON.stringify({ ...own, payload: own.payload.slice(0, -1) })],
    ['bits that mean nothing', JSON.stringify({ ...own, signatures: [{ ...first, sig: nextDigit(first.sig) }] })],
    ['huge', JSON.stringify({ ...own, payload: base64('x'.repeat(300_000)) })],
    ['deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['deep member', text.replace('{', `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)},`)],
    ['deep signature', text.replace(/"signatures":.*$/, `"signatures":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)],
    ['no JSON', 'payload: yes'],
    ['null', 'null'],
    ['list', '[]'],
    ['number', '1e999'],
    ['no UTF-8', Buffer.concat([Buffer.from(text.slice(0, 20)), Buffer.from([0xff]), Buffer.from(text.slice(20))])],
  ];
  return odd.map(([name, content]) => [name, typeof content === 'string' ? Buffer.from(content) : content]);
}

/** Statements under a valid signature that are none of ours. */
function oddStatements(payload: string): [string, string][] {
  const statement = JSON.parse(payload) as Statement;
  const without = (name: string): string =>
    JSON.stringify({
      ...statement,
      predicate: Object.fromEntries(Object.entries(statement.predicate).filter(([each]) => each !== name)),
    });
  return [
    ...Object.keys(statement.predicate).map((name): [string, string] => [`without ${name}`, without(name)]),
    ['generation twice', payload.replace('"generation":', '"generation":1,"generation":')],
    ['member of another form', changedContext(payload, { extra: true })],
    ['generation 0', changedContext(payload, { generation: 0 })],
    ['generation in words', changedContext(payload, { generation: '9' })],
    ['generation beyond all', changedContext(payload, { generation: 2 ** 60 })],
    ['no date', changedContext(payload, { createdAt: 'today' })],
    ['date with an offset', changedContext(payload, { createdAt: '2026-01-01T00:00:00+02:00' })],
    ['no recipient', changedContext(payload, { recipients: [] })],
    ['other subject', payload.replace('payload.age', 'other.age')],
    ['other predicate', payload.replace('urn:mcprt:backup:1', 'urn:mcprt:backup:9')],
    ['other type of statement', payload.replace('in-toto.io/Statement/v1', 'in-toto.io/Statement/v9')],
    ['no digest', JSON.stringify({ ...statement, subject: [{ name: 'payload.age', digest: {} }] })],
    ['trailing data', `${payload}{}`],
    ['space', ` ${payload}`],
    ['deep', payload.replace('"predicate":{', `"predicate":{"a":${'['.repeat(40_000)}${']'.repeat(40_000)},`)],
    ['list', '[]'],
  ];
}

function digestIn(payload: string): string {
  return /"sha256":"([0-9a-f]{64})"/.exec(payload)?.[1] ?? '';
}

/** DSSE's signature, as anyone with the key can make it over any bytes. */
function signature(payload: string, signer: KeyObject): string {
  const type = 'application/vnd.in-toto+json';
  const body = Buffer.from(payload);
  const framed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${body.length} `), body]);
  return sign(null, framed, signer).toString('base64');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The same bytes in other base64: the last digit before `==` holds four bits that are not looked at. */
function nextDigit(encoded: string): string {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return encoded.replace(
    /(.)(==)$/,
    (_, digit: string, end: string) => `${digits[digits.indexOf(digit) ^ 1] ?? ''}${end}`,
  );
}
