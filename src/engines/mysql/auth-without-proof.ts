import { createHash } from 'node:crypto';

/** What a server sends is answered by what goes back, `null` for nothing. */
type Authenticate = (data: Buffer) => Buffer | null;

const NONCE_BYTES = 20;
const FAST_AUTH_SUCCESS = 3;

/**
 * Authentication with a server that nobody has proved to be the right one, encrypted or not: only answers from which the password cannot be read. A server
 * that wants the password itself, or offers a key of its own to encrypt it with, may be anybody; MySQL's client refuses
 * the same. By the names of MySQL's plugins.
 */
export function authWithoutProof(password: string): Record<string, () => Authenticate> {
  return {
    caching_sha2_password: () => {
      let isAnswered = false;
      return (data) => {
        if (!isAnswered) {
          isAnswered = true;
          return proof(password, data.subarray(0, NONCE_BYTES));
        }
        if (data[0] === FAST_AUTH_SUCCESS) return null;
        throw refused('caching_sha2_password');
      };
    },
    sha256_password: () => () => {
      throw refused('sha256_password');
    },
    mysql_clear_password: () => () => {
      throw refused('mysql_clear_password');
    },
  };
}

/** SHA256(p) XOR SHA256(SHA256(SHA256(p)), nonce), as MySQL's caching_sha2_password defines it. */
function proof(password: string, nonce: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0);
  const first = sha256(Buffer.from(password, 'utf8'));
  const second = sha256(Buffer.concat([sha256(first), nonce]));
  return Buffer.from(first.map((byte, index) => byte ^ (second[index] ?? 0)));
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function refused(plugin: string): Error {
  const error = new Error(
    `The server asks for the password by ${plugin}, which is only sent with TLS that is verified: set ssl_mode to verify-full.`,
  );
  return Object.assign(error, { code: 'PASSWORD_IN_CLEAR' });
}
