import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
function i(n,r){let e=[n??""].flat()[0]??"",t=/^\d+$/.test(e)?Number(e):(Date.parse(e)-r.getTime())/1e3;return Number.isFinite(t)?Math.max(t,0):void 0}export{i as a};
