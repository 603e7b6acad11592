import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const source = fileURLToPath(new URL('interrupts.js', import.meta.url));

describe('an interrupt', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'that comes twice (%s) does not cut off what the first has begun',
    async (signal) => {
      const program = `
      const { onInterrupt } = await import(${JSON.stringify(source)});
      onInterrupt(async () => {
        console.log('begun');
        await new Promise((resolve) => setTimeout(resolve, 300));
        console.log('down');
      });
      setInterval(() => undefined, 1000);
      console.log('ready');`;
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
      let told = '';
      child.stdout.on('data', (chunk: Buffer) => {
        const before = told;
        told += chunk.toString();
        for (const word of ['ready', 'begun']) if (told.includes(word) && !before.includes(word)) child.kill(signal);
      });
      const [code] = await once(child, 'close');
      expect(told.split('\n')).toEqual(['ready', 'begun', 'down', '']);
      expect(code).toBe(1);
    },
  );
});
