// What of undici the bundle has, each part loaded when it is first used: undici's own index runs all of it, its caches, mocks
// and web interfaces included. Sources that import another name find it missing here by scripts/bundle.test.ts.
const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');

Dispatcher.prototype.request = require('undici/lib/api/api-request.js');

const parts = {
  Agent: () => require('undici/lib/dispatcher/agent.js'),
  ProxyAgent: () => require('undici/lib/dispatcher/proxy-agent.js'),
  buildConnector: () => require('undici/lib/core/connect.js'),
  WebSocket: () => require('undici/lib/web/websocket/websocket.js').WebSocket,
};

for (const [name, get] of Object.entries(parts)) Object.defineProperty(exports, name, { enumerable: true, get });
