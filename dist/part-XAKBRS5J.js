import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
function l(r){return/^[\w@%+=:,./-]+$/.test(r)?r:`'${r.replaceAll("'","'\\''")}'`}export{l as a};
