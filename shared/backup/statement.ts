import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import * as z from 'zod';
import { McprtError, messageOf } from '../errors.js';
import { keyId } from './keys.js';

/** Version of the format that backups are written in. */
export const schema = 'mcprt.backup/2';
/** Versions that are read; in the first one an object had one role. */
const readable: readonly string[] = ['mcprt.backup/1', schema];

const payloadType = 'application/vnd.in-toto+json';
const statementType = 'https://in-toto.io/Statement/v1';
const predicateType = 'urn:mcprt:backup:1';
/** A statement is some kilobytes; more is an attack on the parser. */
const maximumBytes = 256 * 1024;

const contextShape = z.strictObject({
  schema: z.string(),
  /** `owner/name` and GitHub's number of it, which survives a rename and is never given out again. */
  repository: z.string(),
  repositoryId: z.string(),
  workflow: z.string(),
  runId: z.string(),
  runAttempt: z.string(),
  /** UID of namespace kube-system. */
  fingerprint: z.string().min(1),
  domain: z.string(),
  layout: z.enum(['mono', 'split', 'unknown']),
  generation: z.int().min(1),
  createdAt: z.iso.datetime(),
  /** When the last certificate in it expires, or sooner by policy. */
  expiresAt: z.iso.datetime(),
  /** SHA-256 of the statement of the generation before, in hex; empty for the first. */
  previous: z.string(),
  recipients: z.array(z.string()).min(1),
  inventory: z.strictObject({ certificates: z.int(), secrets: z.int(), configMaps: z.int(), namespaces: z.int() }),
  certManager: z.string(),
  tool: z.string(),
});

/** What a backup says of itself. It is public: no Secret's name or value is in it. */
export type BackupContext = z.infer<typeof contextShape>;

const statementShape = z.strictObject({
  _type: z.literal(statementType),
  subject: z.tuple([
    z.strictObject({
      name: z.literal('payload.age'),
      digest: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
    }),
  ]),
  predicateType: z.literal(predicateType),
  predicate: contextShape,
});

/** The last digit of base64 may hold bits that mean nothing: only one form of the same bytes is taken. */
const base64 = z.base64().refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'not canonical');

const envelopeShape = z.strictObject({
  payloadType: z.literal(payloadType),
  payload: base64,
  signatures: z.array(z.strictObject({ keyid: z.string(), sig: base64 })).max(8),
});

/** A statement whose signature was checked. */
export interface Verified {
  context: BackupContext;
  payloadDigest: string;
  /** SHA-256 of the signed bytes, in hex: what the next generation calls `previous`. */
  digest: string;
  /** Which of the trusted keys has signed it (see `keyId`). */
  signer: string;
}

/** Signs a statement over the sealed payload: a DSSE envelope (https://github.com/secure-systems-lab/dsse), Ed25519. */
export function signStatement(context: BackupContext, payloadDigest: string, signer: KeyObject): string {
  const statement: z.infer<typeof statementShape> = {
    _type: statementType,
    subject: [{ name: 'payload.age', digest: { sha256: payloadDigest } }],
    predicateType,
    predicate: context,
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const signature = sign(null, preAuthentication(payload), signer);
  return JSON.stringify({
    payloadType,
    payload: payload.toString('base64'),
    signatures: [{ keyid: keyId(signer), sig: signature.toString('base64') }],
  });
}

/**
 * Checks a DSSE envelope against the signers that are trusted, before anything in it is believed.
 *
 * @throws McprtError `backup-malformed`, `backup-unsigned`, `backup-signature`, `backup-schema`
 */
export function verifyStatement(envelope: Buffer, signers: KeyObject[]): Verified {
  if (envelope.length > maximumBytes) {
    throw malformed('statement.dsse.json is larger than any statement');
  }
  const { payload, signatures } = parseOwn(envelopeShape, envelope, 'statement.dsse.json');
  const bytes = Buffer.from(payload, 'base64');
  const known = signatures.flatMap(({ keyid, sig }) => {
    const key = signers.find((signer) => keyId(signer) === keyid);
    return key ? [{ key, sig }] : [];
  });
  if (known.length === 0) {
    throw new McprtError('backup-unsigned', {
      what: 'the backup is not signed by a key that is trusted here',
      why: `it is signed by ${signatures.map(({ keyid }) => keyid.slice(0, 40)).join(', ') || 'nobody'}; trusted are ${signers.map(keyId).join(', ')}`,
      next: 'if keys were changed, give the restore keys of all sets, one a line in `restore-key`. If that does not explain it, somebody planted this backup',
    });
  }
  const signed = known.find(({ key, sig }) => verify(null, preAuthentication(bytes), key, Buffer.from(sig, 'base64')));
  if (signed === undefined) {
    throw new McprtError('backup-signature', {
      what: 'the signature of the backup is not valid',
      why: 'the statement was changed after it was signed, or it was damaged in the store',
      next: 'use another store or generation, and find out who can write to this store',
    });
  }
  const statement = parseStatement(bytes);
  return {
    context: statement.predicate,
    payloadDigest: statement.subject[0].digest.sha256,
    digest: createHash('sha256').update(bytes).digest('hex'),
    signer: keyId(signed.key),
  };
}

/** DSSE's pre-authentication encoding: type and body with their lengths, so that neither can be taken for the other. */
function preAuthentication(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `), body]);
}

function parseStatement(bytes: Buffer): z.infer<typeof statementShape> {
  const loose = parse(z.looseObject({ predicate: z.looseObject({ schema: z.string() }) }), bytes, 'the statement');
  if (!readable.includes(loose.predicate.schema)) {
    throw new McprtError('backup-schema', {
      what: `the backup has the format ${loose.predicate.schema.slice(0, 40)}, and this version reads ${readable.join(' and ')}`,
      why: 'it was made by another version of mcprt',
      next: 'use the version of mcprt that made it, then make a new backup',
    });
  }
  return parseOwn(statementShape, bytes, 'the statement');
}

/** Parses what only mcprt writes: of a member that is there twice, another reader could take the other one. */
function parseOwn<T>(shape: z.ZodType<T>, bytes: Buffer, what: string): T {
  const parsed = parse(shape, bytes, what);
  if (!Buffer.from(JSON.stringify(JSON.parse(bytes.toString('utf8')))).equals(bytes)) {
    throw malformed(`${what} is not written as mcprt writes it: a member may be there twice`);
  }
  return parsed;
}

function parse<T>(shape: z.ZodType<T>, bytes: Buffer, what: string): T {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw malformed(`${what} is not JSON: ${messageOf(error).slice(0, 60)}`);
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(`${what}: ${issue ? `${issue.path.join('.')}: ${issue.message}`.slice(0, 120) : 'wrong shape'}`);
  }
  return parsed.data;
}

/** The error for bytes that are no backup of ours. */
export function malformed(why: string): McprtError {
  return new McprtError('backup-malformed', {
    what: 'this is not an mcprt backup, or it is damaged',
    why,
    next: 'use another store or generation; an entry that nobody can explain was planted',
  });
}
