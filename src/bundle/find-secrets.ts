/** Words that name a secret at the end of a key: `db_password`, `apiToken`, `sslkey`. */
const SECRET_KEY =
  /(^|_)(passwords?|passwd|pwd|passphrase|secrets?|tokens?|api_?key|access_?key|private_?key|secret_?key|ssl_?key|key_?data|key_?json|service_account|credentials?_json)$/;

const URL_WITH_USER = /[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]*@/i;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const PASSWORD_IN_TEXT = /(^|[\s;&?,])(password|passwd|pwd|passphrase|secret|token)\s*=\s*[^\s;&]/i;

const DEPTH_MAX = 16;

/** Where a secret is written, and why it is taken for one. The value itself is never repeated. */
export type SecretFinding = { path: readonly (string | number)[]; message: string };

/**
 * Finds what looks like a secret anywhere in plain data: keys such as `password` or `api_token` that
 * have a value, addresses with user information, PEM private keys, `password=` inside a text. Also
 * data nested deeper than 16 levels, since nobody looked there.
 */
export function findSecrets(value: unknown): SecretFinding[] {
  const findings: SecretFinding[] = [];
  visit(value, [], findings);
  return findings;
}

function visit(
  value: unknown,
  path: readonly (string | number)[],
  findings: SecretFinding[],
): void {
  if (path.length > DEPTH_MAX) {
    findings.push({ path, message: `Data is nested deeper than ${DEPTH_MAX} levels.` });
  } else if (typeof value === 'string') {
    const message = secretText(value);
    if (message !== undefined) findings.push({ path, message });
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visit(item, [...path, index], findings);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const here = [...path, key];
      if (SECRET_KEY.test(toWords(key)) && item !== null && item !== '') {
        findings.push({ path: here, message: `"${here.join('.')}" looks like a secret.` });
      } else visit(item, here, findings);
    }
  }
}

function secretText(text: string): string | undefined {
  if (URL_WITH_USER.test(text)) return 'An address holds user information (user:password@).';
  if (PRIVATE_KEY.test(text)) return 'A text holds a private key.';
  if (PASSWORD_IN_TEXT.test(text)) return 'A text holds a password.';
  return undefined;
}

/** `dbPassword`, `DB-PASSWORD` and `db.password` are the same words. */
function toWords(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();
}
