import type { AddressRules } from '../util/outbound.js';
import type { OutboundFetch } from '../util/outbound-fetch.js';
import type { Notice } from './notice.js';

/** Where a secret is: a variable of the environment, or a file. It is never in the configuration itself. */
export type SecretSource = { env: string } | { file: string };

/** What a channel is made with. */
export interface ChannelDeps {
  fetch: OutboundFetch;
  rules: AddressRules;
  /** Reads a secret now; throws `config_invalid` that names the key. It is not kept, so a changed one is taken from then on. */
  secret(source: SecretSource, key: string): Promise<string>;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** One message of a channel. */
export interface Message {
  /** The same for each attempt. */
  id: string;
  notice: Notice;
}

export interface Channel {
  /**
   * Delivers a message, or throws: `unavailable` or `address_refused`, which never repeats a secret. After a failure that may
   * have been a delivery all the same it comes again, with the same id.
   */
  send(message: Message, signal: AbortSignal): Promise<void>;
  /** Reads every secret once, so that one that is missing is found at the start. Throws `config_invalid`. */
  check(): Promise<void>;
}

/** How a channel is made of its part of the configuration. Throws `config_invalid`. */
export interface ChannelType<Config> {
  open(config: Config, key: string, deps: ChannelDeps): Channel;
}

/** What every channel's configuration has. */
export interface ChannelSettings {
  name: string;
  /** Absent: all. */
  events?: readonly string[];
  /** Only requests that one of these roles approves; absent: all. */
  approver_roles?: readonly string[];
}
