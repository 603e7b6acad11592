import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
var e=/(?<![\w/.-])docs\/(?=[\w/-]{1,80}\.(?:md|yaml)\b)/g;function s(n,o){return n.replace(e,()=>`${o}/docs/`)}import{join as i}from"node:path";async function g({KUBECONFIG:n,HOME:o},t){if(n||!o)return n??"";let r=i(o,".kube","config");return await t(r)?r:""}export{s as a,g as b};
