/**
 * Tells whether a command line asks for JSON: `--json`, or `--format json` in either spelling, before
 * a bare `--`. Known without parsing, since an error of parsing must be printed in that form too.
 */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  let json = false;
  words.forEach((word, index) => {
    if (word === '--json' || word === '--json=true') json = true;
    if (word === '--json=false') json = false;
    if (word === '--format=json') json = true;
    if (word === '--format' && words[index + 1] === 'json') json = true;
  });
  return json;
}
