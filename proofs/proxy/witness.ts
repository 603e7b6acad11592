import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Loaded into a process before anything else: notes each connection that it opens and each name that it looks up. */
const program = `
const net = require('node:net');
const dns = require('node:dns');
const { appendFileSync } = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const note = (line) => appendFileSync(process.env.WITNESS_FILE, line + '\\n');
const hosts = new Map((process.env.WITNESS_HOSTS || '').split(',').map((one) => one.split('=')));
const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  const [given] = Array.isArray(args[0]) ? args[0] : args;
  const isWatched = given && given.port !== undefined;
  if (isWatched) this.once('connect', () => note('connect ' + this.remoteAddress + ':' + this.remotePort));
  if (isWatched) this.once('error', () => this.remoteAddress || note('connect ' + given.host + ':' + given.port));
  return connect.apply(this, args);
};
const { lookup } = dns;
dns.lookup = (name, options, done) => {
  const answer = done === undefined ? options : done;
  const known = hosts.get(name);
  if (known === undefined) note('lookup ' + name);
  if (known === undefined) return lookup(name, options, done);
  return process.nextTick(() => options.all ? answer(null, [{ address: known, family: 4 }]) : answer(null, known, 4));
};
for (const name of ['lookup', 'resolve4', 'resolve6']) {
  const asked = dns.promises[name];
  dns.promises[name] = async (host, ...more) => {
    const known = name === 'lookup' ? hosts.get(host) : undefined;
    if (known !== undefined) return more[0]?.all ? [{ address: known, family: 4 }] : { address: known, family: 4 };
    note('lookup ' + host);
    return asked(host, ...more);
  };
}
syncBuiltinESMExports();
`;

/** Sees what processes do with the network, from within. */
export interface Witness {
  /** What a process needs in its environment to be seen. */
  env: Record<string, string>;
  /** `connect ADDRESS:PORT`, of what failed as it was wanted, and `lookup NAME`, each once, since it was last asked. */
  seen(): Promise<string[]>;
}

/** @param hosts what those processes find in place of DNS, by name */
export async function makeWitness(folder: string, hosts: Readonly<Record<string, string>>): Promise<Witness> {
  const [script, file] = [join(folder, 'witness.cjs'), join(folder, 'witnessed')];
  await writeFile(script, program);
  return {
    env: {
      NODE_OPTIONS: `--require=${script}`,
      WITNESS_FILE: file,
      WITNESS_HOSTS: Object.entries(hosts)
        .map((one) => one.join('='))
        .join(','),
    },
    async seen() {
      if (!existsSync(file)) return [];
      const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
      await rm(file);
      return [...new Set(lines)].sort();
    },
  };
}
