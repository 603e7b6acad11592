import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../../json.js';
import { type Kind, type KubeObject, kinds } from '../objects.js';

interface Refusal {
  status: number;
  reason: string;
  detail: string;
}

const dnsLabel = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const dnsSubdomain = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const dataKey = /^[-._a-zA-Z0-9]{1,253}$/;
/** pkg/apis/core/validation: data of a Secret or ConfigMap, and etcd's own limit of a request. */
const mostData = 1024 * 1024;
const mostBytes = 1.5 * 1024 * 1024;

/** Keys that a Secret of a type must have. */
const wantedKeys: Record<string, readonly string[]> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

/** What an API server refuses about an object, before it stores it; undefined when it takes it. */
export function refusalOf(kind: Kind, object: KubeObject, before: KubeObject | undefined): Refusal | undefined {
  const { name } = object.metadata;
  const invalid = (why: string): Refusal => ({
    status: 422,
    reason: 'Invalid',
    detail: `${kind.kind} ${JSON.stringify(name)} is invalid: ${why}`,
  });
  if (!(kind === kinds.namespace ? dnsLabel : dnsSubdomain).test(name)) return invalid('metadata.name: Invalid value');
  if (JSON.stringify(object).length > mostBytes) {
    return { status: 413, reason: 'RequestEntityTooLarge', detail: 'etcdserver: request is too large' };
  }
  if (kind !== kinds.secret && kind !== kinds.configMap) return undefined;
  const data = isRecord(object.data) ? object.data : {};
  const values = Object.entries(data);
  if (values.some(([key, value]) => !dataKey.test(key) || typeof value !== 'string'))
    return invalid('data: Invalid value');
  if (kind === kinds.secret && values.some(([, value]) => !isBase64(String(value)))) {
    return { status: 400, reason: 'BadRequest', detail: 'illegal base64 data' };
  }
  const binary = isRecord(object.binaryData) ? Object.values(object.binaryData) : [];
  const bytes =
    values.reduce((sum, [, value]) => sum + bytesOf(kind, String(value)), 0) +
    binary.reduce<number>((sum, value) => sum + bytesOf(kinds.secret, String(value)), 0);
  if (bytes > mostData) return invalid('data: Too long: may not be more than 1048576 bytes');
  if (before?.immutable === true) {
    if (object.immutable !== true || !isDeepStrictEqual(object.data, before.data))
      return invalid('data: Forbidden: field is immutable when `immutable` is set');
  }
  return kind === kinds.secret ? secretRefusal(object, before, data, invalid) : undefined;
}

function secretRefusal(
  object: KubeObject,
  before: KubeObject | undefined,
  data: Record<string, unknown>,
  invalid: (why: string) => Refusal,
): Refusal | undefined {
  const type = String(object.type ?? 'Opaque');
  if (before !== undefined && before.type !== type) return invalid('type: Invalid value: field is immutable');
  const lacking = (wantedKeys[type] ?? []).filter((key) => data[key] === undefined);
  if (type === 'kubernetes.io/basic-auth' && data.username === undefined && data.password === undefined) {
    return invalid('[data[username]: Required value, data[password]: Required value]');
  }
  if (lacking.length > 0) return invalid(`data[${lacking[0]}]: Required value`);
  if (
    type === 'kubernetes.io/service-account-token' &&
    object.metadata.annotations?.['kubernetes.io/service-account.name'] === undefined
  ) {
    return invalid('metadata.annotations[kubernetes.io/service-account.name]: Required value');
  }
  const config = data['.dockerconfigjson'];
  if (type === 'kubernetes.io/dockerconfigjson' && !isJson(Buffer.from(String(config), 'base64').toString('utf8'))) {
    return invalid('data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid JSON');
  }
  return undefined;
}

function bytesOf(kind: Kind, value: string): number {
  return kind === kinds.secret ? Buffer.from(value, 'base64').length : Buffer.byteLength(value);
}

function isBase64(value: string): boolean {
  return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
