import type { Server } from 'node:net';

/** A server that listens on the loopback interface. */
export interface Listening {
  port: number;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

/** Lets a server listen on a free port of the loopback interface. */
export async function listenOnLoopback(server: Server & { closeAllConnections?(): void }): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async close() {
      server.closeAllConnections?.();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
