import type { Sensitivity } from '../model.js';
import type { Category } from './classification.js';

/** A question about one value, and what a column is whose values answer yes. */
export interface ValueCheck {
  /** snake_case; reasons name it. */
  id: string;
  /** What a value does, for people: `pass Luhn`. */
  does: string;
  classification: string;
  category: Category;
  sensitivity: Sensitivity;
  /** The share of the values that have to pass; 0: one is enough. */
  shareMin: number;
  passes(value: string): boolean;
}

/** Random digits seldom pass a checksum and begin as issuers' numbers do; a fifth that does is no chance. */
const SHARE_MIN = 0.2;

/** In the order in which they are preferred where several hold at the same sensitivity. */
export const VALUE_CHECKS: readonly ValueCheck[] = [
  {
    id: 'credential_value',
    does: 'look like credentials',
    classification: 'credential',
    category: 'secrets',
    sensitivity: 'high',
    shareMin: 0,
    passes: (value) => CREDENTIAL.test(value),
  },
  {
    id: 'luhn',
    does: 'pass Luhn',
    classification: 'payment_card',
    category: 'pci',
    sensitivity: 'high',
    shareMin: SHARE_MIN,
    passes: isCardNumber,
  },
  {
    id: 'iban_mod_97',
    does: "pass IBAN's checksum",
    classification: 'bank_account',
    category: 'financial',
    sensitivity: 'high',
    shareMin: SHARE_MIN,
    passes: isIban,
  },
  {
    id: 'email_value',
    does: 'are e-mail addresses',
    classification: 'email',
    category: 'pii',
    sensitivity: 'medium',
    shareMin: SHARE_MIN,
    passes: (value) => value.length <= 254 && EMAIL.test(value),
  },
  {
    id: 'e164_value',
    does: 'are phone numbers (E.164)',
    classification: 'phone',
    category: 'pii',
    sensitivity: 'medium',
    shareMin: SHARE_MIN,
    passes: (value) =>
      value.length <= 24 && /^\+[1-9]\d{6,14}$/.test(value.replace(/[ ().-]/g, '')),
  },
  {
    id: 'ip_value',
    does: 'are IP addresses',
    classification: 'ip_address',
    category: 'pii',
    sensitivity: 'medium',
    shareMin: SHARE_MIN,
    passes: (value) => IPV4.test(value) || isIpv6(value),
  },
];

const EMAIL = /^[^\s@<>"(),:;[\]\\]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i;

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** RFC 4291, as the parser of addresses in URLs reads it. */
function isIpv6(value: string): boolean {
  return (
    /^[0-9a-f:.]{2,45}$/i.test(value) && value.includes(':') && URL.canParse(`http://[${value}]/`)
  );
}

/** Beginnings that those who issue them document: keys of AWS, GitHub, GitLab, Slack, Stripe, Google; JSON Web Tokens, PEM, hashes. */
const CREDENTIAL = new RegExp(
  [
    '^(?:AKIA|ASIA)[A-Z2-7]{16}$',
    '^gh[pousr]_[A-Za-z0-9]{36}',
    '^github_pat_[A-Za-z0-9_]{22}',
    '^glpat-[A-Za-z0-9_-]{20}',
    '^xox[abeprs]-[A-Za-z0-9-]{10}',
    '^[rs]k_(?:live|test)_[A-Za-z0-9]{16}',
    '^AIza[A-Za-z0-9_-]{35}$',
    '^eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]+\\.',
    '^-----BEGIN [A-Z ]*PRIVATE KEY-----',
    '^\\$2[abxy]\\$\\d\\d\\$[./A-Za-z0-9]{53}$',
    '^\\$argon2(?:id|i|d)\\$',
  ].join('|'),
);

/** A number of 13 to 19 digits that begins as one of an issuer does (ISO/IEC 7812) and passes Luhn. */
function isCardNumber(value: string): boolean {
  if (value.length > 32 || !/^\d[\d -]*\d$/.test(value)) return false;
  const digits = value.replace(/[ -]/g, '');
  return ISSUED.test(digits) && passesLuhn(digits);
}

const ISSUED = new RegExp(
  [
    '^4(?:\\d{12}|\\d{15}|\\d{18})$',
    '^(?:5[1-5]|2[2-7]|35)\\d{14}$',
    '^3[47]\\d{13}$',
    '^3(?:0[0-5]|[689])\\d{11,16}$',
    '^6(?:011|5|4[4-9])\\d{11,16}$',
    '^62\\d{14,17}$',
    '^(?:5[06-9]|6)\\d{11,18}$',
  ].join('|'),
);

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48;
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** ISO 13616: the country and two check digits behind the rest, letters as 10 to 35, leaves 1 when divided by 97. */
function isIban(value: string): boolean {
  if (value.length > 48) return false;
  const text = value.replaceAll(' ', '').toUpperCase();
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(text)) return false;
  let rest = 0;
  for (const character of text.slice(4) + text.slice(0, 4)) {
    const digits = String(Number.parseInt(character, 36));
    for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97;
  }
  return rest === 1;
}
