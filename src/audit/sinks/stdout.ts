import { VkitError } from '../../errors/index.js';
import { batchLines, type SinkSettings, type SinkType } from './contract.js';

/** Entries as lines on the server's own output, for whatever collects that. */
export const stdoutSink: SinkType<SinkSettings> = {
  batchMax: 200,
  lingerSeconds: 0,
  // Nobody says whether it was collected.
  isKept: false,
  async open() {
    return {
      deliver: (batch) => write(batchLines(batch)),
      close: async () => undefined,
    };
  },
};

function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (cause) => {
      if (!cause) return resolve();
      reject(new VkitError('unavailable', "The server's output cannot be written.", { cause }));
    });
  });
}
