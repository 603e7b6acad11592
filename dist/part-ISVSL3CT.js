import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{join as t}from"node:path";async function s({KUBECONFIG:o,HOME:n},i){if(o||!n)return o??"";let r=t(n,".kube","config");return await i(r)?r:""}export{s as a};
