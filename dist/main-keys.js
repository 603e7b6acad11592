import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{a as h,b as f}from"./part-ZZNJUQU2.js";import{a as l}from"./part-RIFGZYXT.js";import{a as s}from"./part-XAKBRS5J.js";import{a as c}from"./part-BGH3NNP3.js";import"./part-QHEPNVF4.js";import{a as d}from"./part-YFWEV3BR.js";import"./part-ZORDU7GE.js";import{mkdir as u}from"node:fs/promises";import{join as p}from"node:path";import{parseArgs as y}from"node:util";var k=`Makes a set of keys for mcprt and prints the lines that store them.

  node dist/keys.js [--out FOLDER] [--repo OWNER/NAME] [--classic]

  --out      folder for the three files; it must not exist yet, nor be where git would add it   (mcprt-keys)
  --repo     repository that the printed lines are for            (the one of the present folder)
  --classic  X25519 instead of the post-quantum hybrid: for a restore by hand with age older than 1.3
`;async function T(t){l(process.stdout,process.stderr);let{values:e}=y({args:t,options:{out:{type:"string",default:"mcprt-keys"},repo:{type:"string"},classic:{type:"boolean",default:!1},help:{type:"boolean",default:!1}}});if(e.help){process.stdout.write(k);return}let r=await h(e.out);if(r!==void 0){let{code:i,message:n,why:a,next:m}=new d("key-inside",{what:"the folder for the keys is inside of a checkout",why:`the next \`git add\` in ${r} would take ${e.out} along`,next:`give a folder outside of it: --out ${s(`${r}-mcprt-keys`)}`});process.stderr.write(`${i}: ${n}
why: ${a}
next: ${m}
`),process.exitCode=1;return}let o=await c(e.classic?"classic":"hybrid");await u(e.out,{mode:448}),await f(e.out,o),process.stdout.write(w(e.out,e.repo))}function w(t,e){let r=e===void 0?"":` --repo ${s(e)}`,o=(i,n,a)=>[`  for environment in ${a}; do`,`    gh secret set ${i} --env "$environment"${r} < ${s(p(t,n))}`,"  done"].join(`
`);return`Made three keys in ${t}. Where a repository had keys before, this is a rotation: do not run these lines, as backups
that exist could not be read any more, but those of docs/keys.md, "How do I rotate the keys?". A first set is stored with these:

${o("MCPRT_BACKUP_KEY","backup.key","mcprt-backup mcprt-wipe")}
${o("MCPRT_RESTORE_KEY","restore.key","mcprt-restore mcprt-drill")}

A further platform of the repository has its prefix in the place of mcprt. For an environment that the repository does not
have, gh says "HTTP 404" and stores nothing: mcprt-wipe is for a reinstallation only, and mcprt-drill for drills.
Keep ${p(t,"offline.txt")} off every computer (paper, a safe): it decrypts all backups when the rest is lost.
Put ${p(t,"restore.key")} into a password manager, then delete the folder.
Protect mcprt-restore and mcprt-wipe with required reviewers; mcprt-backup needs none: its key cannot read backups.
`}export{T as keysCommand};
