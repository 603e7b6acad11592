// Read when a server is first asked: it is a tenth of what the smoke test loads, and has no part in its first request.
export { Client } from '@modelcontextprotocol/sdk/client/index.js';
export { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
