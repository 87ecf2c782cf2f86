import { VkitError } from '../../errors/index.js';
import type { ParsedUrl } from '../parse-server-url.js';

const URL_FORM = /^bigquery:\/\/([^/?#@]+)\/([^/?#]+)(?:\?([^#]*))?$/;
const TEXT_PARAMETERS = ['location', 'credentials_file', 'api_endpoint'];
const BYTES_PARAMETER = 'maximum_bytes_billed';

/**
 * Reads `bigquery://project/dataset?location=EU`. There is no user and no password in it. Throws `invalid_input`; the
 * message never repeats the URL.
 */
export function parseBigqueryUrl(text: string): ParsedUrl {
  const refuse = (why: string) =>
    new VkitError('invalid_input', `The BigQuery URL ${why}.`, {
      hint: 'Write bigquery://project/dataset?location=EU&maximum_bytes_billed=10000000000.',
    });
  const match = URL_FORM.exec(text.trim());
  if (match === null) throw refuse('is not bigquery://PROJECT/DATASET');
  const [, project = '', dataset = '', query = ''] = match;
  const config: Record<string, unknown> = {
    project: decoded(project, refuse),
    dataset: decoded(dataset, refuse),
  };
  for (const [name, value] of new URLSearchParams(query)) {
    if (TEXT_PARAMETERS.includes(name)) config[name] = value;
    else if (name !== BYTES_PARAMETER) {
      throw refuse(
        `has a parameter other than ${[...TEXT_PARAMETERS, BYTES_PARAMETER].join(', ')}`,
      );
    } else if (!/^[1-9]\d{0,14}$/.test(value)) {
      throw refuse(`has a ${BYTES_PARAMETER} of no whole number of bytes`);
    } else config[name] = Number(value);
  }
  return { config, credentials: {} };
}

function decoded(part: string, refuse: (why: string) => VkitError): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Without a cause: Node's error repeats its input.
    throw refuse('has a % that is not written %25');
  }
}
