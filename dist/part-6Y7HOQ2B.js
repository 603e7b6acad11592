import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
function n(t){return/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(t)}function E(t){return/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(t)}export{n as a,E as b};
