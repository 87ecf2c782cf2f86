import type { Socket } from 'node:net';
import { VkitError } from '../errors/index.js';
import { type AddressRules, dial, isLoopbackHost } from '../util/outbound.js';
import type { ChannelSettings, ChannelType, Message, SecretSource } from './channel.js';
import { describeNotice } from './notice.js';

export interface EmailConfig extends ChannelSettings {
  type: 'email';
  host: string;
  /** Absent: 587 with `starttls`, 465 with `tls`, 25 with `none`. */
  port?: number;
  /** `starttls` if absent; `none` is for this machine alone. */
  security?: 'starttls' | 'tls' | 'none';
  username?: string;
  password?: SecretSource;
  /** A PEM file with the certificates that are trusted instead of the system's. */
  ca_file?: string;
  from: string;
  to: readonly string[];
}

const PORTS = { starttls: 587, tls: 465, none: 25 } as const;
const TIMEOUT_MS = 15_000;

/** Mail over SMTP (RFC 5321), encrypted unless it goes to this machine. */
export const email: ChannelType<EmailConfig> = {
  open(config, key, deps) {
    const { security = 'starttls', host, username, password } = config;
    const port = config.port ?? PORTS[security];
    if (security === 'none' && !isLoopbackHost(host)) {
      throw new VkitError('config_invalid', `${key}.security is none for another machine.`, {
        hint: 'Leave it out, or write tls: mail leaves a machine encrypted.',
      });
    }
    if ((username === undefined) !== (password === undefined)) {
      throw new VkitError('config_invalid', `${key} has one of username and password alone.`, {
        hint: 'Give both, or neither.',
      });
    }
    const login = async () =>
      username === undefined || password === undefined
        ? undefined
        : { user: username, pass: await deps.secret(password, `${key}.password`) };
    const ca = async () =>
      config.ca_file === undefined
        ? undefined
        : deps.secret({ file: config.ca_file }, `${key}.ca_file`);
    return {
      async check() {
        await Promise.all([login(), ca()]);
      },
      async send(message, signal) {
        const { createTransport } = await import('nodemailer');
        const [auth, trusted] = await Promise.all([login(), ca()]);
        const transport = createTransport({
          host,
          port,
          secure: security === 'tls',
          requireTLS: security === 'starttls',
          ignoreTLS: security === 'none',
          ...(auth && { auth }),
          tls: { servername: host, ...(trusted === undefined ? {} : { ca: trusted }) },
          connectionTimeout: TIMEOUT_MS,
          greetingTimeout: TIMEOUT_MS,
          socketTimeout: TIMEOUT_MS,
          disableFileAccess: true,
          disableUrlAccess: true,
          // The package would look the name up by itself.
          getSocket: (_options: object, done: SocketDone) => {
            connected({ host, port }, deps.rules, signal).then(
              (connection) => done(null, { connection }),
              (error: Error) => done(error, false),
            );
          },
        });
        await transport.sendMail(mailOf(config, message)).catch((cause: unknown) => {
          throw failureOf(host, cause);
        });
      },
    };
  },
};

type SocketDone = (error: Error | null, socket: { connection: Socket } | false) => void;

/** Headers are made of the configuration and of the server's ids alone. */
function mailOf({ from, to }: EmailConfig, { id, notice }: Message) {
  const { title, facts, commands } = describeNotice(notice);
  return {
    from,
    to: [...to],
    subject: `[vkit] ${title}: ${notice.request_id}`,
    // Who gets a message twice, or its mail program, sees by the id that it is the same.
    messageId: `<${id}@vkit.invalid>`,
    headers: { 'x-vkit-notification': id, 'auto-submitted': 'auto-generated' },
    date: new Date(notice.at),
    text: [
      title,
      '',
      ...facts.map(([name, value]) => `${name}: ${value}`),
      '',
      ...commands.map((command) => `    ${command}`),
      '',
    ].join('\n'),
  };
}

async function connected(
  target: { host: string; port: number },
  rules: AddressRules,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = dial(target, rules);
  const timeout = setTimeout(
    () => socket.destroy(Object.assign(new Error('No connection.'), { code: 'ETIMEDOUT' })),
    TIMEOUT_MS,
  );
  const stop = () => socket.destroy(Object.assign(new Error('Stopped.'), { code: 'ECONNABORTED' }));
  signal.addEventListener('abort', stop, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', stop));
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
    return socket;
  } finally {
    clearTimeout(timeout);
  }
}

/** The server's status and Node's codes; a server's text may repeat the login. */
function failureOf(host: string, cause: unknown): VkitError {
  if (cause instanceof VkitError) return cause;
  const { code, responseCode } = cause as { code?: unknown; responseCode?: unknown };
  const said = [code, responseCode].filter((part) => part !== undefined).join(' ');
  return new VkitError('unavailable', `${host} did not take the mail (${said || 'no answer'}).`);
}
