import * as core from '@actions/core';

/** Shorter values are ordinary words: masking them would star out half of the log, and hide nothing. */
const shortest = 6;

/** Tells the runner a secret, before it is used. */
export type Mask = (secret: string) => void;

/** Takes the secrets that it has been told out of text that goes into a summary or an error, which no runner masks. */
export interface Veil {
  mask: Mask;
  hide(text: string): string;
}

/** A masker that can hide what it knows. */
export function veil(): Veil {
  const known = new Set<string>();
  const tell = masker();
  return {
    mask(secret) {
      for (const line of secret.split(/\r?\n/)) if (line.trim().length >= shortest) known.add(line.trim());
      tell(secret);
    },
    // The longest first: a secret may be a part of another.
    hide: (text) =>
      [...known].sort((a, b) => b.length - a.length).reduce((left, secret) => left.replaceAll(secret, '***'), text),
  };
}

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
