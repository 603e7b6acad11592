/**
 * What one backup may hold. Who writes a backup and who reads one go by the same numbers: what was accepted can be
 * restored. They are made for 5,000 tenants, each with a namespace, a pull Secret and a certificate from Let's Encrypt
 * (about 11 KB), and a third more.
 */
export const limits = {
  /** Namespaces, Secrets and ConfigMaps together. */
  objects: 20_000,
  /** Certificates, and issuances of the last weeks. */
  records: 20_000,
  /** Of the stored archive; a reader stops there, whatever a store offers. */
  archiveBytes: 192 * 1024 * 1024,
} as const;

/** How far the clocks of two API servers of one cluster may be apart, and a backup in the future by the one that is asked; in ms. */
export const clockTolerance = 3600_000;
