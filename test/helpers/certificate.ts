import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whether certificates can be made here. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    // Not there, which is all that is asked.
    return false;
  }
}

/** A key and a certificate of its own for `name` (`DNS:localhost`, `IP:127.0.0.1`), in the folder. */
export function makeCertificate(folder: string, name: string) {
  const [keyPath, certificatePath] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '2', '-subj', '/CN=vkit test', '-addext', `subjectAltName=${name}`],
      ...['-keyout', keyPath, '-out', certificatePath],
    ],
    { stdio: 'ignore' },
  );
  return {
    key: readFileSync(keyPath),
    certificate: readFileSync(certificatePath),
    certificatePath,
  };
}
