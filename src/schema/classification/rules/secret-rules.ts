import type { ClassifierRule } from '../classification.js';
import { list } from './list.js';

/** What opens something. A hash or an encrypted form of it is still a secret: it can be guessed against, or replayed. */
export const SECRET_RULES: readonly ClassifierRule[] = [
  {
    id: 'credential',
    classification: 'credential',
    category: 'secrets',
    sensitivity: 'high',
    phrases: list(`
      password, pass$, ^pass, user pass, pass hash, pass crypted, pass phrase, passphrase,
      secret, api key, api token, api secret, access token, refresh token, auth token,
      authentication token, bearer, id token, session token, session key, csrf, xsrf,
      reset token, confirmation token, remember token, push token, device token, payment token,
      token hash, token value, token digest, token, encrypted value, encrypted data, secret data,
      private key, secret key, secure key, encryption key, signing key, ssh key, gpg key,
      pgp key, master key, service key, access key, shared key, key hash, key digest,
      key material, activation key, license key, auth key, auth hash, otp, otp secret, totp,
      mfa secret, mfa code, 2fa, recovery code, backup code, seed phrase, mnemonic,
      verification code, salt, ^pin$, pin hash, pin block, card pin, pin number, atm pin,
      user pin, connection string, connection uri, connection url, database url, dsn$,
      credential, security answer, secret answer, cookie value, session cookie, auth cookie, jwt,
      oauth token, pkcs 12, keystore, htpasswd, kennwort, passwort, kenn word, geheimnis,
      zugangsdaten, mot de passe, mot passe, motdepasse, mdp, mdp$, contrasena, contrasenya,
      clave acceso, clave secreta, parola chiave, parola d ordine, chiave privata,
      chiave segreta, senha, palavra passe, wachtwoord, geheim, geheime sleutel`),
    comment: list(`
      password, api key, secret key, private key, access token, passwort, mot de passe,
      contrasena, senha, wachtwoord`),
    types: ['text'],
    forbids: list(`
      symbol, price, contract, address, type, typ, status, count, at, length, policy, strength,
      attempt, encoding, question, enabled, is, has, required, name, label, version, expiry,
      expire, changed, scope, limit, usage, date, algorithm, fk, uuid, method, provider, issuer,
      id, boarding, bus, season`),
  },
];
