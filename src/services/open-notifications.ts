import { VkitError } from '../errors/index.js';
import type { Channel } from '../notify/channel.js';
import { type ChannelConfig, openChannel } from '../notify/index.js';
import type { Store } from '../store/model.js';
import type { AddressRules } from '../util/outbound.js';
import { createOutboundFetch } from '../util/outbound-fetch.js';
import type { ProxySettings } from '../util/proxied-fetch.js';
import type { NotificationRoute } from './control/context.js';
import type { Job } from './job.js';
import { readSecretSource } from './read-secret-source.js';
import { notificationJob } from './send-notifications.js';

export interface NotificationOptions {
  channels: readonly ChannelConfig[];
  rules: AddressRules;
  proxy?: ProxySettings;
  variable: (name: string) => string | undefined;
  store: Pick<Store, 'notifications' | 'transaction'>;
  now: () => number;
}

export interface Notifications {
  routes: readonly NotificationRoute[];
  jobs: readonly Job[];
  close(): Promise<void>;
}

/** The channels of the server's file, each with its secrets in reach. Throws `config_invalid`. */
export async function openNotifications(options: NotificationOptions): Promise<Notifications> {
  const { channels: configs, rules, proxy, variable, store, now } = options;
  const outbound = createOutboundFetch({ rules, ...(proxy && { proxy }) });
  const deps = {
    fetch: outbound.fetch,
    rules,
    now,
    secret: (source: Parameters<typeof readSecretSource>[0], key: string) =>
      readSecretSource(source, key, variable),
  };
  const channels = new Map<string, Channel>();
  for (const config of configs) {
    if (channels.has(config.name)) {
      throw new VkitError('config_invalid', `Two channels are called ${config.name}.`, {
        hint: 'Give each of notifications.channels a name of its own.',
      });
    }
    const channel = openChannel(config, deps);
    await channel.check();
    channels.set(config.name, channel);
  }
  return {
    routes: configs.map(({ name, events, approver_roles: approverRoles }) => ({
      channel: name,
      ...(events && { events }),
      ...(approverRoles && { approverRoles }),
    })),
    jobs: channels.size === 0 ? [] : [notificationJob({ store, channels, now })],
    close: outbound.close,
  };
}
