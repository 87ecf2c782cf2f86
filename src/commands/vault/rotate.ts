import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { VkitError } from '../../errors/index.js';

/** More batches than any vault has: what is under another master secret gets less with each. */
const BATCHES_MAX = 10_000;

export default class VaultRotate extends BaseCommand {
  static override summary = 'Seal every secret anew under the present master secret.';
  static override description =
    `For administrators. Start the server with the new master secret as VKIT_MASTER_KEY or master_key_file, and the one \
before as VKIT_MASTER_KEY_PREVIOUS or under previous_master_key_files: it opens with both and seals with the new one. Then \
run this command. The server goes on working; what was interrupted goes on with the next run. When it is complete, \
take the one before away.`;
  static override examples = ['<%= config.bin %> vault rotate'];
  static override flags = serverFlags;

  async run(): Promise<object> {
    const { flags } = await this.parse(VaultRotate);
    const { client } = await connect(flags, this.config.version);
    const failed: { kind: string; id: string; reason: string }[] = [];
    let resealed = 0;
    let answer = await client.rotateVault();
    for (let batches = 1; ; batches += 1) {
      resealed += answer.resealed;
      failed.push(...answer.failed);
      if (answer.next === null || batches === BATCHES_MAX) break;
      this.note(`Sealed anew: ${resealed}, to do: ${answer.remaining - failed.length}`);
      answer = await client.rotateVault(answer.next);
    }
    const { key_id, remaining } = answer;
    if (failed.length > 0) {
      const names = failed.map(({ kind, id }) => `${kind} ${id}`).join(', ');
      throw new VkitError('vault_failed', `Not sealed anew: ${names}.`, {
        hint: 'Give them anew (vkit datasource update ID), or start the server with the master secret they are under.',
        details: { key_id, resealed, remaining, failed },
      });
    }
    this.log(
      resealed === 0 && remaining === 0
        ? `Nothing to do: every secret is under the present master secret ${key_id}.`
        : `Sealed anew under ${key_id}: ${resealed}.${remaining === 0 ? ' The master secret before can be taken away.' : ` Still to do: ${remaining}; run it again.`}`,
    );
    return { key_id, resealed, remaining, complete: remaining === 0 };
  }
}
