/** A mutation that changes nothing that could be seen. */
export interface Equivalent {
  file: string;
  /** The line as it is, and the mutation's kind. */
  line: string;
  kind: string;
  why: string;
}

/** What no test can tell from the source as it is, and why. */
export const equivalents: readonly Equivalent[] = [
  {
    file: 'shared/certificates/pem.ts',
    line: 'headers += 1;',
    kind: 'another constant',
    why: 'it is only asked whether there are any',
  },
  {
    file: 'shared/wipe/targets.ts',
    line: "const name = isRecord(roleRef) ? String(roleRef.name) : '';",
    kind: 'another constant',
    why: 'no role has that name either',
  },
];
