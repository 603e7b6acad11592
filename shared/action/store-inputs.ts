import { type OciAddress, parseOciAddress } from '../backup/stores/oci/oci-address.js';
import { parseS3Address } from '../backup/stores/s3/s3-address.js';
import { storeNames } from '../backup/stores/store.js';
import { type InputType, path, secret, someOf } from './inputs.js';

/** A repository of a registry, or none. */
const repository: InputType<OciAddress | undefined> = {
  expected: 'a repository of a registry, as HOST/PATH without a tag',
  isPublic: (value) => parseOciAddress(value) !== undefined,
  parse(value) {
    const address = parseOciAddress(value);
    if (address === undefined && value !== '') throw new Error('it has no host, or something that no repository has');
    return address;
  },
};

/** A bucket and what its keys begin with, or none. */
const bucket: InputType<string> = {
  expected: 'a bucket, as BUCKET or BUCKET/PREFIX',
  isPublic: (value) => parseS3Address(value, '') !== undefined,
  parse(value) {
    if (value !== '' && parseS3Address(value, '') === undefined) throw new Error('no bucket is called so');
    return value;
  },
};

/** The address of an S3 server, or none. */
const endpoint: InputType<string> = {
  expected: 'the address of an S3 server, such as https://HOST:9000 or https://{bucket}.HOST',
  parse(value) {
    if (parseS3Address('bucket', value) === undefined) {
      throw new Error('it has no http or https, or a user or a question in it');
    }
    return value;
  },
};

/** Where backups are kept, in the order of action.yml: the inputs of whatever reads or writes stores. */
export const storeTypes = {
  stores: someOf(storeNames),
  directory: path,
  oci: repository,
  'oci-credentials': secret,
  s3: bucket,
  's3-endpoint': endpoint,
  's3-credentials': secret,
} as const;
