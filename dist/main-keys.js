import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{a as h,b as f,c as l,d as a}from"./part-YMGZJK25.js";import{a as u}from"./part-RIFGZYXT.js";import{a as s}from"./part-XAKBRS5J.js";import{a as c}from"./part-BGH3NNP3.js";import"./part-QHEPNVF4.js";import{a as n,c as p}from"./part-YFWEV3BR.js";import"./part-ZORDU7GE.js";import{mkdir as w}from"node:fs/promises";import{join as d}from"node:path";var m=`Makes a set of keys for mcprt and prints the lines that store them.

  node dist/keys.js [--out FOLDER] [--repo OWNER/NAME] [--classic]

  --out      folder for the three files; it must not exist yet, nor be where git would add it   (mcprt-keys)
  --repo     repository that the printed lines are for            (the one of the present folder)
  --classic  X25519 instead of the post-quantum hybrid: for a restore by hand with age older than 1.3
`;async function K(t){u(process.stdout,process.stderr);let e=l(m,{args:t,options:{out:{type:"string",default:"mcprt-keys"},repo:{type:"string"},classic:{type:"boolean",default:!1},help:{type:"boolean",default:!1}}});if(e===void 0)return;if(e.help){process.stdout.write(m);return}let r=await h(e.out);if(r!==void 0){a(new n("key-inside",{what:"the folder for the keys is inside of a checkout",why:`the next \`git add\` in ${r} would take ${e.out} along`,next:`give a folder outside of it: --out ${s(`${r}-mcprt-keys`)}`}));return}let o=await c(e.classic?"classic":"hybrid");try{await w(e.out,{mode:448}),await f(e.out,o)}catch(i){a(new n("key-folder",{what:`the keys cannot be written to ${e.out}`,why:p(i),next:"give a folder that is not there yet, in one where you may write, with --out: no key is ever overwritten"}));return}process.stdout.write(g(e.out,e.repo))}function g(t,e){let r=e===void 0?"":` --repo ${s(e)}`,o=(i,y,k)=>[`  for environment in ${k}; do`,`    gh secret set ${i} --env "$environment"${r} < ${s(d(t,y))}`,"  done"].join(`
`);return`Made three keys in ${t}. Where a repository had keys before, this is a rotation: do not run these lines, as backups
that exist could not be read any more, but those of docs/keys.md, "How do I rotate the keys?". A first set is stored with these:

${o("MCPRT_BACKUP_KEY","backup.key","mcprt-backup mcprt-wipe")}
${o("MCPRT_RESTORE_KEY","restore.key","mcprt-restore mcprt-drill")}

A further platform of the repository has its prefix in the place of mcprt. For an environment that the repository does not
have, gh says "HTTP 404" and stores nothing: mcprt-wipe is for a reinstallation only, and mcprt-drill for drills.
Keep ${d(t,"offline.txt")} off every computer (paper, a safe): it decrypts all backups when the rest is lost.
Put ${d(t,"restore.key")} into a password manager, then delete the folder.
Protect mcprt-restore and mcprt-wipe with required reviewers; mcprt-backup needs none: its key cannot read backups.
`}export{K as keysCommand};
