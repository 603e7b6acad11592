import { McprtError } from '../../../errors.js';
import { isVirtualHost, type S3Address } from './s3-address.js';
import type { S3Complaint } from './s3-xml.js';

/** What was asked of a bucket. */
export type Doing = 'list' | 'read' | 'write' | 'delete';

/** A server's answer that is a refusal. */
export interface Refused extends S3Complaint {
  status: number;
  /** The server's clock, where it tells it. */
  date: string;
}

export interface Asked {
  address: S3Address;
  /** Where the keys come from, for messages. */
  keysFrom: 'input' | 'environment';
  /** Whether the backup is to be locked. */
  isLocking: boolean;
}

const lowest = { list: 'store-read', read: 'store-read', write: 'store-write', delete: 'store-prune' } as const;
const permissions = {
  list: '`s3:ListBucket`',
  read: '`s3:GetObject`, and `s3:ListBucket`, without which a missing object looks like a forbidden one',
  write: '`s3:PutObject`',
  delete: '`s3:DeleteObject`, and `s3:DeleteObjectVersion` where the bucket keeps versions',
} as const;

const expired = /^(?:ExpiredToken|ExpiredTokenException|TokenRefreshRequired|RequestExpired)$/;
const unknownKeys =
  /^(?:InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|InvalidClientTokenId|AuthorizationHeaderMalformed|CredentialsNotSupported)$/;
const elsewhere = /^(?:PermanentRedirect|TemporaryRedirect|Redirect|IllegalLocationConstraintException|InvalidRegion)$/;
const full =
  /^(?:QuotaExceeded|XMinioStorageFull|XMinioAdminBucketQuotaExceeded|EntityTooLarge|InsufficientStorage|TooManyBuckets)$/;
const damaged = /^(?:BadDigest|InvalidDigest|XAmzContentSHA256Mismatch|XAmzContentChecksumMismatch)$/;
/** What a bucket without Object Lock, or a server that does not know it, says to a lock. */
const unlockable =
  /^(?:ObjectLockConfigurationNotFoundError|NoSuchObjectLockConfiguration|InvalidRequest|InvalidBucketState|NotImplemented|InvalidBucketObjectLockConfiguration)$/;

/** What a server's refusal is to whoever keeps backups there: its cause, and what to do. */
export function s3Failure(refused: Refused, doing: Doing, asked: Asked): McprtError {
  const { status, code, message, region } = refused;
  const { address, keysFrom, isLocking } = asked;
  const { bucket, endpoint } = address;
  const why = `it answers ${status}${code === '' ? '' : ` ${code}`}${message === '' ? '' : `: ${message}`}`;
  const make = (name: McprtError['code'], what: string, next: string): McprtError =>
    new McprtError(name, { what, why, next });
  const keys =
    keysFrom === 'input' ? '`s3-credentials`' : 'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN';

  if (code === 'RequestTimeTooSkewed') {
    return new McprtError('store-clock', {
      what: 'the clocks of this machine and of the S3 server differ too much',
      why: `${why}. The server says it is ${refused.date || 'another time'}, and here it is ${new Date().toUTCString()}`,
      next: 'set the clock that is wrong, by NTP; a signature is good for 15 minutes',
    });
  }
  if (expired.test(code)) {
    return make(
      'store-credentials',
      'the S3 credentials have expired',
      'get new ones in the step before this one (aws-actions/configure-aws-credentials), for a long job with a longer role duration',
    );
  }
  if (elsewhere.test(code) || (code === 'AuthorizationHeaderMalformed' && region !== '')) {
    return make(
      'store-region',
      `the bucket ${bucket} is in another region`,
      region === ''
        ? 'set AWS_REGION to its region (`aws s3api get-bucket-location`), or give the endpoint of that region in `s3-endpoint`'
        : `set AWS_REGION to ${region}, or give the endpoint of that region in \`s3-endpoint\``,
    );
  }
  if (code === 'NoSuchBucket') {
    return make(
      'store-address',
      `there is no bucket ${bucket}`,
      isVirtualHost(address) && endpoint !== undefined
        ? 'create it, or correct `s3`; where the server takes the bucket in the path, leave `{bucket}.` out of `s3-endpoint`'
        : 'create it, or correct `s3`, and `s3-endpoint` where the bucket is on another server',
    );
  }
  if (unknownKeys.test(code) || status === 401) {
    return make(
      'store-credentials',
      'the S3 server does not take the credentials',
      `check ${keys}: they are another server’s, were deleted, or were damaged on their way`,
    );
  }
  if (isLocking && doing === 'write' && unlockable.test(code)) {
    return make(
      'store-lock',
      `the bucket ${bucket} cannot lock a backup`,
      'Object Lock is switched on when a bucket is made (and on AWS also later): use such a bucket, or leave `s3-lock-days` at 0',
    );
  }
  if (doing === 'delete' && /lock|retention|retain|worm/i.test(`${code} ${message}`)) {
    return make(
      'store-locked',
      `a backup in ${bucket} is locked`,
      'nothing: a later backup deletes it when the lock is over',
    );
  }
  if (status === 403) {
    const lock = isLocking && doing === 'write' ? ' and `s3:PutObjectRetention`' : '';
    return make(
      'store-permission',
      `the S3 credentials may not ${doing} in ${bucket}`,
      `allow ${permissions[doing]}${lock} on the bucket and what is below its prefix`,
    );
  }
  if (damaged.test(code)) {
    return make(
      'store-digest',
      'the S3 server got other bytes than were sent',
      'find out what stands between this machine and the server and changes what goes through it',
    );
  }
  if (full.test(code) || status === 507 || status === 413) {
    return make(
      'store-full',
      `there is no room in ${bucket}`,
      'raise its quota, or delete what nobody needs: `keep` does it for backups',
    );
  }
  if (status === 429 || status >= 500) {
    return make('store-unavailable', 'the S3 server does not answer', 'run the operation again in some minutes');
  }
  if (code === '' || /^(?:InvalidBucketName|InvalidURI|MethodNotAllowed|InvalidHostHeader)$/.test(code)) {
    return make(
      'store-endpoint',
      `what answers at ${endpoint ?? 'AWS'} is not S3, or not in this form`,
      'check `s3-endpoint`: the port of the API and not of a console, and `https://{bucket}.HOST` for servers that take the bucket in their name, `https://HOST` for the others',
    );
  }
  return make(
    lowest[doing],
    `the S3 server refuses to ${doing} in ${bucket}`,
    'look at its log, and run the operation again',
  );
}
