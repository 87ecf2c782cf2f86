import type { VkitClient } from '../client/vkit-client.js';
import { isPlainName } from './clean.js';
import { type Dataset, type Field, fieldsOf } from './discover.js';

/** Datasets that a description names, and characters of it: it stands in the context of every conversation. */
const DATASETS_MAX = 20;
const CHARACTERS_MAX = 4_000;
/** How long a description holds: a listing of the tools is asked for at every turn. */
const HELD_MS = 60_000;
/** A listing of tools does not wait for a server that hangs. */
const WAIT_MAX_MS = 5_000;

/**
 * A function that says what the requester may ask for, for the description of a tool; an empty text where the server does
 * not say. Only names that are identifiers are in it, since whoever makes a table chooses them, and a model takes the
 * description for an instruction.
 */
export function datasetDescriber(client: VkitClient, now: () => number): () => Promise<string> {
  let held: { text: Promise<string>; until: number } | undefined;
  return () => {
    if (held === undefined || now() >= held.until) {
      const bounded = client.withSignal(AbortSignal.timeout(WAIT_MAX_MS));
      const text = describe(bounded).catch(() => {
        held = undefined;
        return '';
      });
      held = { text, until: now() + HELD_MS };
    }
    return held.text;
  };
}

async function describe(client: VkitClient): Promise<string> {
  const { datasets } = await client.listDatasets();
  const plain = datasets.filter(({ name }) => isPlainName(name));
  const shown = plain.slice(0, DATASETS_MAX);
  const fields = await fieldsOf(client, shown);
  const lines = shown.map((dataset, index) => lineOf(dataset, fields[index] ?? []));
  let text = '';
  let named = 0;
  for (const line of lines) {
    if (text.length + line.length > CHARACTERS_MAX) break;
    text += `\n${line}`;
    named += 1;
  }
  if (named === 0) return '';
  const more = datasets.length - named;
  const rest = more === 0 ? '' : `\n- and ${more} more: see vaultkit_discover`;
  return `\n\nDatasets and their fields:${text}${rest}`;
}

function lineOf({ name, visibility }: Dataset, fields: readonly Field[]): string {
  const open = fields.filter((field) => field.visibility !== 'deny' && isPlainName(field.name));
  const names = open.map(({ name: field, masked, visibility: state }) => {
    const marks = [...(masked ? ['masked'] : []), ...(state === 'allow' ? [] : ['needs approval'])];
    return marks.length === 0 ? field : `${field} (${marks.join(', ')})`;
  });
  const whole = visibility === 'deny' ? 'denied' : names.join(', ');
  return `- ${name}: ${whole === '' ? 'see vaultkit_discover' : whole}`;
}
