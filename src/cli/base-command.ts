import { Command } from '@oclif/core/command';
import { boolean } from '@oclif/core/flags';
import type { Finding } from '../policy/finding.js';
import { escapeTerminalLines } from '../util/escape.js';
import { coloursFor } from './colours.js';
import { renderFindings } from './findings-text.js';
import { type FlagShape, normaliseArgv } from './normalise-argv.js';
import { wantsJson } from './output-mode.js';
import { reportError } from './report-error.js';
import { toUsageError, type UsageContext } from './usage-error.js';

/** What `run` returns when it has written the whole document to stdout itself (a stream of rows). */
export const PRINTED = Symbol('printed');

/**
 * The base of every command. A command parses, makes one call, prints for people with `this.log`, and
 * returns the payload, which is printed as the one JSON document under `--json`. It fails by throwing
 * a `VkitError`, and says no with `return this.answer(3, payload)`.
 *
 * What oclif 4 does otherwise: it exits 1 for every error under `--json`, prints the whole command
 * line with a usage error, drops warnings, prints nothing for a falsy payload, and fills an optional
 * argument from stdin.
 */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    json: boolean({ description: 'Print one JSON document.', helpGroup: 'GLOBAL' }),
  };

  abstract override run(): Promise<unknown>;

  override jsonEnabled(): boolean {
    return wantsJson(this.argv);
  }

  /** Sets the exit code of an answer that is not yes (3 no, 4 waiting, 5 drift, 7 out of reach), and returns it. */
  protected answer<T>(exitCode: 3 | 4 | 5 | 7, payload: T): T {
    process.exitCode = exitCode;
    return payload;
  }

  /** A note for people, not data: on stderr, and nowhere under `--json`; null says nothing. */
  protected note(message: string | null): void {
    if (message !== null && !this.jsonEnabled())
      process.stderr.write(`${escapeTerminalLines(message)}\n`);
  }

  /** Findings beside the result, in colour where stderr is a terminal; `renderFindings` has made their names harmless. */
  protected noteFindings(findings: readonly Finding[]): void {
    if (findings.length > 0 && !this.jsonEnabled())
      process.stderr.write(`${renderFindings(findings, process.stderr)}\n`);
  }

  /** Warnings go to stderr, also under `--json`. */
  override warn(input: string | Error): string | Error {
    const message = typeof input === 'string' ? input : input.message;
    const label = coloursFor(process.stderr).yellow('Warning:');
    process.stderr.write(`${label} ${escapeTerminalLines(message)}\n`);
    return input;
  }

  protected override async _run<T>(): Promise<T> {
    let payload: unknown;
    try {
      this.prepare();
      await this.init();
      payload = await this.run();
    } catch (error) {
      this.fail(error);
      return undefined as T;
    }
    if (payload !== PRINTED && this.jsonEnabled()) this.logJson(payload ?? null);
    return payload as T;
  }

  override logJson(payload: unknown): void {
    const text = JSON.stringify(payload, null, 2);
    // What JSON leaves as it is and a terminal obeys (C1 controls, marks that reorder text) has a JSON escape too.
    process.stdout.write(`${process.stdout.isTTY ? escapeTerminalLines(text) : text}\n`);
  }

  private prepare(): void {
    // oclif reads stdin into an optional argument that is absent; stdin is for secrets and queries.
    for (const arg of Object.values(this.ctor.args)) arg.ignoreStdin = true;
    this.argv = normaliseArgv(this.argv, this.flagShapes());
  }

  private fail(error: unknown): void {
    reportError(toUsageError(error, this.usageContext()) ?? error, { json: this.jsonEnabled() });
  }

  private usageContext(): UsageContext {
    const command = (this.id ?? '').replaceAll(':', ' ');
    return { command, flags: this.flagShapes(), args: this.ctor.args, argv: this.argv };
  }

  private flagShapes(): Record<string, FlagShape> {
    return { ...this.ctor.baseFlags, ...this.ctor.flags } as Record<string, FlagShape>;
  }
}
