import type { ReaderLogin } from '../reader-login.js';

/** SQLite has no logins: who may read the file may read all of it. */
export function sqliteReaderLogin(): ReaderLogin {
  return {
    login: '',
    statements: [],
    notes: [
      'SQLite has no logins. vkit opens the file for reading alone; let the user that runs vkit read the file, and its folder where it is in WAL mode, and write neither.',
    ],
  };
}
