import type { KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Bundle } from '../bundle/model.js';
import { parseBundleText } from '../bundle/parse-bundle.js';
import { keyId } from '../bundle/sign-bundle.js';
import { verifyBundle } from '../bundle/verify-bundle.js';
import { type Problem, VkitError } from '../errors/index.js';
import type { Finding } from '../policy/validate-policies.js';
import { readYaml } from '../util/read-yaml.js';
import { decodeUtf8 } from '../util/utf8.js';

/** As much as a server takes. */
const BYTES_MAX = 64 * 1024 * 1024;
/** Above this no line is looked up: the findings name their place in the document only. */
const POSITION_BYTES_MAX = 1_048_576;

export interface CheckBundleFileInput {
  file: string;
  /** Public keys any of which may have signed; with none, the signature is not looked at. */
  trustedKeys: readonly KeyObject[];
  now: Date;
}

export interface CheckedBundle {
  bundle: Bundle;
  /** As it stands in the file: what is sent to a server. */
  document: unknown;
  /** False where checksum or signature say no, or there is no signature to verify. */
  verified: boolean;
  signature: 'verified' | 'not_checked' | 'unsigned' | 'refused';
  findings: readonly Finding[];
}

/**
 * Checks a bundle as a server would: its form, its checksum, its signature, its expiry. A bundle that does not verify is an
 * answer, `verified: false`; throws `not_found`, `bundle_invalid` with every problem, and `bundle_expired`.
 */
export async function checkBundleFile(input: CheckBundleFileInput): Promise<CheckedBundle> {
  const { file, trustedKeys, now } = input;
  const text = await readBundleText(file);
  const parsed = parseText(text, file);
  if ('problems' in parsed) {
    throw new VkitError('bundle_invalid', `${file} is not a policy bundle.`, {
      hint: 'Compile it again: vkit policy bundle',
      details: { problems: withPlaces(parsed.problems, text, file) },
    });
  }
  const { bundle, document } = parsed;
  const findings: Finding[] = [];
  const find = (
    severity: Finding['severity'],
    code: string,
    message: string,
    suggestion?: string,
  ) =>
    findings.push({
      severity,
      file,
      line: 1,
      column: 1,
      code,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  if (bundle.bundle.source.dirty) {
    find('warning', 'bundle_dirty', 'The bundle was compiled from uncommitted changes.');
  }
  const allowUnsigned = trustedKeys.length === 0;
  const unsigned = bundle.signing === null;
  if (unsigned && allowUnsigned) {
    find('warning', 'unsigned', 'The bundle is not signed, and servers refuse it by default.');
  }
  try {
    await verifyBundle(
      // Without a key to compare with, what is left of the check is the checksum.
      allowUnsigned ? { ...parsed, bundle: { ...bundle, signing: null } } : parsed,
      { trustedKeys, now, allowUnsigned, allowDirty: true },
    );
  } catch (error) {
    if (!(error instanceof VkitError) || !isRefusal(error)) throw error;
    const isOurs = unsigned || allowUnsigned || (await isSignedByOneOf(bundle, trustedKeys));
    const hint = isOurs ? error.hint : 'Name the public key of whoever signed it: --key FILE';
    find('error', error.code, error.message, hint);
    const signature = unsigned ? 'unsigned' : allowUnsigned ? 'not_checked' : 'refused';
    return { bundle, document, verified: false, signature, findings };
  }
  if (!unsigned && allowUnsigned) {
    const suggestion = 'Give the public key: --key .vkit/keys/vkit_pub.pem';
    find('warning', 'signature_not_checked', 'The signature was not checked.', suggestion);
  }
  const signature = unsigned ? 'unsigned' : allowUnsigned ? 'not_checked' : 'verified';
  return { bundle, document, verified: true, signature, findings };
}

async function isSignedByOneOf(
  { signing }: Bundle,
  keys: CheckBundleFileInput['trustedKeys'],
): Promise<boolean> {
  const ids = await Promise.all(keys.map(keyId));
  return ids.some((id) => id === signing?.key_id);
}

function isRefusal({ code }: VkitError): boolean {
  return code === 'bundle_checksum' || code === 'bundle_signature';
}

async function readBundleText(file: string): Promise<string> {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) {
    throw new VkitError('not_found', `There is no bundle at ${file}.`, {
      hint: 'Compile one: vkit policy bundle',
    });
  }
  if (found.size > BYTES_MAX) {
    throw new VkitError('limit_exceeded', `${file} is larger than ${BYTES_MAX} bytes.`);
  }
  const text = decodeUtf8(await readFile(file));
  if (text !== undefined) return text;
  throw new VkitError('bundle_invalid', `${file} is not UTF-8 text.`);
}

function parseText(text: string, file: string): ReturnType<typeof parseBundleText> {
  try {
    return parseBundleText(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new VkitError('bundle_invalid', `${file} is not JSON.`, {
      hint: 'Compile it again: vkit policy bundle',
      cause,
    });
  }
}

/** JSON is YAML, whose reader knows the lines. */
function withPlaces(problems: readonly Problem[], text: string, file: string): Problem[] {
  const yaml = text.length > POSITION_BYTES_MAX ? undefined : readYaml(text);
  return problems.map((problem) => {
    const path = (problem.pointer ?? '')
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    return { ...problem, file, ...(yaml?.positionOf(path, 'key') ?? { line: 1, column: 1 }) };
  });
}
