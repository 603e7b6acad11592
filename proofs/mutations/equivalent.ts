/** A mutation that changes nothing that could be seen. */
export interface Equivalent {
  file: string;
  /** The line as it is, and the mutation's kind. */
  line: string;
  kind: string;
  why: string;
}

/** What no test can tell from the source as it is, and why. */
export const equivalents: readonly Equivalent[] = [];
