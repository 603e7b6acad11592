import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
import{a as h,b as l}from"./part-ZZNJUQU2.js";import{a as m}from"./part-RIFGZYXT.js";import{a as s}from"./part-XAKBRS5J.js";import{a as c}from"./part-BGH3NNP3.js";import"./part-QHEPNVF4.js";import{a as p}from"./part-YFWEV3BR.js";import"./part-ZORDU7GE.js";import{mkdir as f}from"node:fs/promises";import{join as d}from"node:path";import{parseArgs as y}from"node:util";var k=`Makes a set of keys for mcprt and prints the lines that store them.

  node dist/keys.js [--out FOLDER] [--repo OWNER/NAME] [--classic]

  --out      folder for the three files; it must not exist yet, nor be where git would add it   (mcprt-keys)
  --repo     repository that the printed lines are for            (the one of the present folder)
  --classic  X25519 instead of the post-quantum hybrid: for a restore by hand with age older than 1.3
`;async function T(t){m(process.stdout,process.stderr);let{values:e}=y({args:t,options:{out:{type:"string",default:"mcprt-keys"},repo:{type:"string"},classic:{type:"boolean",default:!1},help:{type:"boolean",default:!1}}});if(e.help){process.stdout.write(k);return}let o=await h(e.out);if(o!==void 0){let{code:i,message:n,why:a,next:u}=new p("key-inside",{what:"the folder for the keys is inside of a checkout",why:`the next \`git add\` in ${o} would take ${e.out} along`,next:`give a folder outside of it: --out ${s(`${o}-mcprt-keys`)}`});process.stderr.write(`${i}: ${n}
why: ${a}
next: ${u}
`),process.exitCode=1;return}let r=await c(e.classic?"classic":"hybrid");await f(e.out,{mode:448}),await l(e.out,r),process.stdout.write(w(e.out,e.repo))}function w(t,e){let o=e===void 0?"":` --repo ${s(e)}`,r=(i,n,a)=>[`  for environment in ${a}; do`,`    gh secret set ${i} --env "$environment"${o} < ${s(d(t,n))}`,"  done"].join(`
`);return`Made three keys in ${t}. Where a repository had keys before, this is a rotation: do not run these lines, as backups
that exist could not be read any more, but those of docs/keys.md, "How do I rotate the keys?". A first set is stored with these:

${r("MCPRT_BACKUP_KEY","backup.key","mcprt-backup mcprt-wipe")}
${r("MCPRT_RESTORE_KEY","restore.key","mcprt-restore mcprt-drill")}

For an environment that the repository does not have, gh says "HTTP 404" and stores nothing: mcprt-wipe is for a reinstallation
only, and mcprt-drill for drills.
Keep ${d(t,"offline.txt")} off every computer (paper, a safe): it decrypts all backups when the rest is lost.
Put ${d(t,"restore.key")} into a password manager, then delete the folder.
Protect mcprt-restore and mcprt-wipe with required reviewers; mcprt-backup needs none: its key cannot read backups.
`}export{T as keysCommand};
