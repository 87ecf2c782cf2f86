const MASKED = '***';

/** What is plainly a secret wherever it stands, and what is left of it. */
const SECRETS: readonly (readonly [RegExp, (found: string, ...parts: string[]) => string])[] = [
  // User information of an address; a password that should have been escaped may hold `/` and `@`.
  [
    /([a-z][a-z0-9+.-]{0,31}:\/\/)([^\s"'`@/:]{0,256}:[^\s"'`]{0,2048}|[^\s"'`@/?#]{0,2048})@/gi,
    (found, scheme = '', user = '') => (isPlaceholder(user) ? found : `${scheme}${MASKED}@`),
  ],
  [
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    () => MASKED,
  ],
  [
    /\b(password|passwd|pwd|passphrase|secret|token|api_?key)(\s*=\s*)[^\s;&,"'`…]+/gi,
    (_found, name = '', equals = '') => `${name}${equals}${MASKED}`,
  ],
  // Tokens that say by their form whose they are: JWT, vkit, GitHub, GitLab, npm, Slack, AWS, Google, Stripe, Vault.
  [/\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/g, () => MASKED],
  [
    /\b(?:vk[as]_[\w-]{32,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|npm_\w{30,}|xox[abeprs]-[\w-]{10,}|AKIA[A-Z0-9]{16}|AIza[\w-]{30,}|sk[-_][\w-]{20,}|hvs\.[\w-]{20,})/g,
    () => MASKED,
  ],
];

/** `postgres://USER:PASSWORD@HOST`, as a hint writes it. */
function isPlaceholder(user: string): boolean {
  return /^[A-Z_]+(:[A-Z_]+)?$/.test(user);
}

/** A text in which passwords of addresses, private keys and tokens of known forms are `***`. */
export function maskSecrets(text: string): string {
  let masked = text;
  for (const [pattern, replace] of SECRETS) masked = masked.replace(pattern, replace);
  return masked;
}

/** Details of errors are flat; what is nested deeper is not shown. */
const DEPTH_MAX = 12;

/** Plain data with every text in it masked, keys included. */
export function maskSecretsIn<T>(value: T): T {
  return masked(value, 0) as T;
}

function masked(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return maskSecrets(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEPTH_MAX) return MASKED;
  if (Array.isArray(value)) return value.map((item) => masked(item, depth + 1));
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, item]) => [maskSecrets(key), masked(item, depth + 1)]),
  );
}

const RANDOM_CHARACTERS_MIN = 20;
const RANDOM_DIGITS_MIN = 3;

/**
 * A key that a file should not have, as a message may show it. Whatever looks like a secret pasted in its place is not
 * shown: its line says enough.
 */
export function shownKey(key: string): string {
  const digits = key.replace(/\D/g, '').length;
  const isRandom = key.length >= RANDOM_CHARACTERS_MIN && digits >= RANDOM_DIGITS_MIN;
  const isName = /^[\w.$ :-]{1,64}$/.test(key) && !isRandom && maskSecrets(key) === key;
  return isName ? key : '(not shown)';
}
