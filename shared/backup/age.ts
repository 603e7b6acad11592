// The age library as a file of its own, dist/age.js: the first request need not wait until it is compiled.
export {
  Decrypter,
  Encrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from 'age-encryption';
