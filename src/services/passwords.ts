import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { VkitError } from '../errors/index.js';
import { turnQueue } from '../util/turn-queue.js';
import { isCleanText } from '../util/utf8.js';

/** In characters (Unicode code points), after NFKC. */
export const PASSWORD_CHARACTERS_MIN = 12;
export const PASSWORD_CHARACTERS_MAX = 256;

/** OWASP's first choice for scrypt (N = 2^17, r = 8, p = 1): 128 MiB and some 0.4 s a hash. */
const COST = { logN: 17, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** What a stored hash may ask for; a larger one was not written by vkit. */
const LOG_N_MAX = 20;

/** Hashes computed at once, each with 128 MiB, and callers waiting for their turn. */
const AT_ONCE = 2;
const WAITING_MAX = 64;

/** `$scrypt$ln=17,r=8,p=1$<salt>$<hash>`, base64 without padding (the PHC string format). */
const ENCODED = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/-]{16,64})\$([\w+/-]{43})$/;

type Cost = { logN: number; r: number; p: number };

/** The password's scrypt hash in PHC form. Throws `validation` for one that is too short, too long or not text. */
export async function hashPassword(password: string): Promise<string> {
  const text = password.normalize('NFKC');
  const characters = [...text].length;
  if (characters < PASSWORD_CHARACTERS_MIN || characters > PASSWORD_CHARACTERS_MAX) {
    const range = `${PASSWORD_CHARACTERS_MIN} to ${PASSWORD_CHARACTERS_MAX} characters`;
    throw unfit('length', `A password has ${range}; this one has ${characters}.`);
  }
  if (!isCleanText(text)) throw unfit('text', 'The password is not valid text.');
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(text, salt, COST);
  return `$scrypt$ln=${COST.logN},r=${COST.r},p=${COST.p}$${unpadded(salt)}$${unpadded(hash)}`;
}

function unfit(code: string, message: string): VkitError {
  const problems = [{ pointer: '/password', code, message }];
  return new VkitError('validation', message, { details: { problems } });
}

/**
 * Tells whether the password has the hash, comparing in constant time. A password that no hash can be of, and a hash that
 * vkit did not write, take the same time and are false. Throws `rate_limited` when too many logins wait.
 */
export async function verifyPassword(password: string, encoded: string): Promise<boolean> {
  const text = password.length > 4 * PASSWORD_CHARACTERS_MAX ? null : password.normalize('NFKC');
  const parts = ENCODED.exec(encoded);
  const cost = { logN: Number(parts?.[1]), r: Number(parts?.[2]), p: Number(parts?.[3]) };
  if (text === null || !isCleanText(text) || parts === null || !isAffordable(cost)) {
    return verifyAgainstNothing();
  }
  const expected = Buffer.from(parts[5] ?? '', 'base64');
  const found = await derive(text, Buffer.from(parts[4] ?? '', 'base64'), cost);
  return expected.length === found.length && timingSafeEqual(expected, found);
}

/** False, after the time that a check takes: for an unknown user, so that the answer's time tells nothing. */
export async function verifyAgainstNothing(): Promise<false> {
  await derive('', Buffer.alloc(SALT_BYTES), COST);
  return false;
}

function isAffordable({ logN, r, p }: Cost): boolean {
  return logN >= 1 && logN <= LOG_N_MAX && r >= 1 && r <= 16 && p >= 1 && p <= 4;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** Few run at once: they share Node's thread pool with every file operation, and need much memory. */
const turns = turnQueue({
  atOnce: AT_ONCE,
  waitingMax: WAITING_MAX,
  whenFull: () =>
    new VkitError('rate_limited', 'Too many logins at once.', { hint: 'Try again soon.' }),
});

async function derive(text: string, salt: Buffer, { logN, r, p }: Cost): Promise<Buffer> {
  await turns.take();
  try {
    // The memory needed is 128 * N * r bytes and a little; Node's default allows a quarter of it.
    const maxmem = 2 * 128 * 2 ** logN * r;
    return await scryptBytes(text, salt, { N: 2 ** logN, r, p, maxmem });
  } finally {
    turns.give();
  }
}

function scryptBytes(text: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(text, salt, HASH_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
