import { repairPacks } from '../packs/journal.js';
import { findProject } from '../project/find-project.js';
import { projectContext } from './project-context.js';

/**
 * The project whose packs a command works on. What a killed command left of a pack is repaired first, and told: it may be
 * what the person is looking for.
 */
export async function openPackProject(
  flags: { dir?: string | undefined },
  note: (message: string) => void,
): Promise<{ root: string; now: Date }> {
  const { root } = await findProject(projectContext(flags).cwd);
  const now = new Date();
  const repair = await repairPacks(root, now);
  if (repair !== null) {
    note(`A command that changed packs was killed. What it had done was ${repair.outcome}.`);
    if (repair.kept.length > 0) {
      note(`Left as they are, since they were edited after that: ${repair.kept.join(', ')}`);
    }
  }
  return { root, now };
}
