/** Text that would be a command to the runner, a link, a mention, a picture or the end of a cell, if it were let. */
export const hostileText = [
  'plain',
  '\r\n::stop-commands::HOSTILE',
  '\u0085::set-env name=HOSTILE::1',
  '\u2028##[error]HOSTILE',
  '@hostile-user [x](https://hostile.example/) ![p](https://hostile.example/p.png)',
  '<img src="//hostile.example/x"> www.hostile.example | a | b |',
  '`\r\n# HOSTILE\r\n- @hostile-user\r\n</summary></details><script>x</script>',
  '\u001b]8;;https://hostile.example\u0007click\u202e',
].join(' ');

/** A megabyte of what makes a reader begin again and again. */
export const longText: string = `${'\n'.repeat(400_000)}${' '.repeat(300_000)}${'[a](b'.repeat(60_000)}`;
