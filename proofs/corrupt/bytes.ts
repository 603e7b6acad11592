import { packArchive } from '../../shared/backup/archive.js';
import type { ErrorCode } from '../../shared/errors.js';
import { type Case, casesOf, type Material, signedBackup } from './material.js';

/** A part of a stored backup, from a byte up to another, and what a changed bit in it must lead to. */
interface Region {
  name: string;
  from: number;
  to: number;
  /** By the byte that came out. */
  code: (changed: number) => ErrorCode;
}

const block = 512;
const malformed = (): ErrorCode => 'backup-malformed';
const digest = (): ErrorCode => 'backup-digest';
/** A changed character of base64 is still base64, or the envelope is none any more. */
const ofBase64 = (changed: number): ErrorCode =>
  /[A-Za-z0-9+/]/.test(String.fromCharCode(changed)) ? 'backup-signature' : 'backup-malformed';
/** A changed key name is another one, unless the text is no longer JSON as we write it. */
const ofName = (changed: number): ErrorCode =>
  changed < 0x20 || changed > 0x7e || changed === 0x22 || changed === 0x5c ? 'backup-malformed' : 'backup-unsigned';

/** Single bits changed in every region of a stored backup. */
export function flippedBits(material: Material): Case[] {
  const { newest, random, each } = material;
  return regionsOf(material)
    .filter(({ from, to }) => to > from)
    .flatMap(({ name, from, to, code }) =>
      Array.from({ length: each }, (): Case => {
        const [at, bit] = [from + random.below(to - from), random.below(8)];
        const bytes = Buffer.from(newest);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        return { class: `bit flip: ${name}`, name: `byte ${at}, bit ${bit}`, code: code(bytes.readUInt8(at)), bytes };
      }),
    );
}

/** What is cut off, put on, or was never a backup. */
export function wrongSizes({ newest, archive, random, each }: Material): Case[] {
  const payloadAt = newest.indexOf(archive.payload);
  const { body } = ageParts(archive.payload);
  const cuts = [
    1,
    block,
    2 * block - 1,
    2 * block,
    newest.length - block,
    newest.length - 1,
    newest.length - payloadAt,
    newest.length - payloadAt - body,
    Math.floor(newest.length / 2),
    ...Array.from({ length: each }, () => 1 + random.below(newest.length - 1)),
  ];
  const tails = [
    Buffer.alloc(1),
    Buffer.alloc(block),
    Buffer.alloc(20 * block),
    newest,
    newest.subarray(0, block),
    ...Array.from({ length: each }, () => random.bytes(1 + random.below(2000))),
  ];
  const nothing = [
    Buffer.alloc(0),
    Buffer.alloc(1),
    Buffer.alloc(10_240),
    Buffer.from('{}'),
    archive.payload,
    archive.statement,
    ...Array.from({ length: each }, () => random.bytes(1 + random.below(20_000))),
  ];
  const refused = (kind: string, name: string, bytes: Buffer): Case => ({
    class: kind,
    name,
    code: 'backup-malformed',
    bytes,
  });
  return [
    ...cuts.map((cut) => refused('cut off', `${cut} bytes`, newest.subarray(0, newest.length - cut))),
    ...tails.map((tail, at) => refused('appended bytes', `tail ${at}`, Buffer.concat([newest, tail]))),
    ...nothing.map((bytes, at) => refused('no backup', `thing ${at}`, bytes)),
  ];
}

/** Members that belong to two valid backups, or are not what a backup has. */
export async function swapped({ archive, olderArchive, newest, older }: Material): Promise<Case[]> {
  const halves = Buffer.concat([newest.subarray(0, block), older.subarray(block)]);
  return casesOf('swapped', [
    ['older payload', 'backup-digest', packArchive({ ...archive, payload: olderArchive.payload })],
    ['older statement', 'backup-digest', packArchive({ ...archive, statement: olderArchive.statement })],
    ['empty payload', 'backup-digest', packArchive({ ...archive, payload: Buffer.alloc(0) })],
    ['payload as statement', 'backup-malformed', packArchive({ ...archive, statement: archive.payload })],
    ['statement as payload', 'backup-digest', packArchive({ ...archive, payload: archive.statement })],
    ['empty statement', 'backup-malformed', packArchive({ ...archive, statement: Buffer.alloc(0) })],
    ...(halves.equals(older) ? [] : [['header of another', 'backup-malformed', halves] as const]),
  ]);
}

/** A damaged age file under a valid signature: only whoever has the signing key can make one. */
export async function damagedPayloads(material: Material, large: Buffer): Promise<Case[]> {
  const { archive, context, random, each } = material;
  const { body, mac } = ageParts(archive.payload);
  const chunk = 64 * 1024 + 16;
  const largeBody = ageParts(large).body;
  const flip = (from: number, to: number): Buffer => {
    const bytes = Buffer.from(archive.payload);
    const at = from + random.below(to - from);
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.below(8)), at);
    return bytes;
  };
  const damaged: [string, Buffer][] = [
    ...Array.from({ length: each }, (): [string, Buffer] => ['recipients', flip(0, mac)]),
    ...Array.from({ length: each }, (): [string, Buffer] => ['content', flip(body, archive.payload.length)]),
    ['nothing', Buffer.alloc(0)],
    ['header only', archive.payload.subarray(0, body)],
    ['header and nonce only', archive.payload.subarray(0, body + 16)],
    ['one byte less', archive.payload.subarray(0, -1)],
    ['one byte more', Buffer.concat([archive.payload, Buffer.alloc(1)])],
    ['twice', Buffer.concat([archive.payload, archive.payload])],
    ['cut at a chunk’s border', large.subarray(0, largeBody + 16 + chunk)],
    [
      'without its first chunk',
      Buffer.concat([large.subarray(0, largeBody + 16), large.subarray(largeBody + 16 + chunk)]),
    ],
    ['random', random.bytes(5000)],
  ];
  return casesOf(
    'damaged under a valid signature',
    damaged.map(([name, payload]) => [name, 'backup-undecryptable', signedBackup(material, payload, context)]),
  );
}

function regionsOf({ newest, archive }: Material): Region[] {
  const statementAt = block;
  const statementEnd = statementAt + archive.statement.length;
  const payloadAt = newest.indexOf(archive.payload);
  const payloadEnd = payloadAt + archive.payload.length;
  const text = newest.toString('latin1');
  const value = (member: string): { from: number; to: number } => {
    const from = text.indexOf(`"${member}":"`, statementAt) + member.length + 4;
    return { from, to: text.indexOf('"', from) };
  };
  const [statement, name, signature] = [value('payload'), value('keyid'), value('sig')];
  const { mac, body, version } = ageParts(archive.payload);
  return [
    { name: 'first tar header', from: 0, to: statementAt, code: malformed },
    { name: 'envelope', from: statementAt, to: statement.from, code: malformed },
    // The last group may hold bits that mean nothing: a class of its own.
    { name: 'statement', from: statement.from, to: statement.to - 4, code: ofBase64 },
    { name: 'name of the key', ...name, code: ofName },
    { name: 'signature', from: signature.from, to: signature.to - 4, code: ofBase64 },
    { name: 'tar padding', from: statementEnd, to: payloadAt - block, code: malformed },
    { name: 'second tar header', from: payloadAt - block, to: payloadAt, code: malformed },
    { name: 'age version', from: payloadAt, to: payloadAt + version, code: digest },
    { name: 'age recipients', from: payloadAt + version, to: payloadAt + mac, code: digest },
    { name: 'age header MAC', from: payloadAt + mac, to: payloadAt + body, code: digest },
    { name: 'age nonce', from: payloadAt + body, to: payloadAt + body + 16, code: digest },
    { name: 'age content', from: payloadAt + body + 16, to: payloadEnd - 16, code: digest },
    { name: 'age last tag', from: payloadEnd - 16, to: payloadEnd, code: digest },
    { name: 'tar end', from: payloadEnd, to: newest.length, code: malformed },
  ];
}

/** Where the parts of an age file begin, in bytes. */
function ageParts(payload: Buffer): { version: number; mac: number; body: number } {
  const mac = payload.indexOf('\n--- ') + 1;
  return { version: payload.indexOf('\n') + 1, mac, body: payload.indexOf('\n', mac) + 1 };
}
