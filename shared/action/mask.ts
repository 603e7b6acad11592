import * as core from '@actions/core';

/** Shorter values are ordinary words: masking them would star out half of the log, and hide nothing. */
const shortest = 6;

/** Tells the runner a secret, before it is used. */
export type Mask = (secret: string) => void;

/** Makes a masker that tells the runner each secret once, line by line, as the runner compares line by line. */
export function masker(): Mask {
  const known = new Set<string>();
  return (secret) => {
    for (const line of secret.split(/\r?\n/).map((part) => part.trim())) {
      if (line.length >= shortest && !known.has(line) && !/^-----(?:BEGIN|END) [A-Z ]+-----$/.test(line)) {
        known.add(line);
        core.setSecret(line);
      }
    }
  };
}
