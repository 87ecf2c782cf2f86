import type { BoundValue } from '../../aql/expression.js';
import type { PipelineAnswer, PipelinedStatement, TextRow } from './session.js';

/** The messages of the protocol, as the package writes them. */
export interface Messages {
  parse(statement: { name: string; text: string }): Uint8Array;
  bind(portal: { statement: string; values: (string | Buffer)[] }): Uint8Array;
  execute(): Uint8Array;
  close(statement: { type: 'S'; name: string }): Uint8Array;
  sync(): Uint8Array;
}

/** Statements that one connection keeps prepared; those of queries that are asked for again and again are few. */
const PREPARED_MAX = 100;

/** What one connection has prepared, the least recently used first. A name is never used twice. */
export interface PreparedStatements {
  readonly names: Map<string, string>;
  /** Names that may be taken and are no longer wanted. */
  readonly unwanted: Set<string>;
  next: number;
}

export function preparedStatements(): PreparedStatements {
  return { names: new Map(), unwanted: new Set(), next: 1 };
}

/**
 * Statements that go out in one message and are answered in one, by PostgreSQL's extended protocol (its manual, "Pipelining"):
 * up to their one Sync the server skips what follows an error. It has the methods that the package calls on whatever it is
 * given as a query. `done` is called once; what is asked of the connection then waits until it is ready.
 */
export class Pipeline {
  readonly #rows: TextRow[][] = [];
  #current: TextRow[] = [];

  constructor(
    private readonly statements: readonly PipelinedStatement[],
    private readonly prepared: PreparedStatements,
    private readonly messages: Messages,
    private readonly done: (answer: PipelineAnswer) => void,
  ) {}

  submit({ stream }: { stream: { write(bytes: Uint8Array): unknown } }): void {
    const { messages, prepared, statements } = this;
    const parts = [...prepared.unwanted].map((name) => messages.close({ type: 'S', name }));
    prepared.unwanted.clear();
    for (const { sql, values = [] } of statements) {
      const statement = this.#prepare(parts, sql);
      parts.push(messages.bind({ statement, values: values.map(toWire) }), messages.execute());
    }
    parts.push(messages.sync());
    // As one piece: the system takes longer for many.
    stream.write(Buffer.concat(parts));
  }

  handleRowDescription(): void {}

  handleDataRow({ fields }: { fields: TextRow }): void {
    this.#current.push(fields);
  }

  handleCommandComplete(): void {
    this.#rows.push(this.#current);
    this.#current = [];
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  handlePortalSuspended(): void {
    this.handleCommandComplete();
  }

  /** After an error the package calls nothing else: the connection may still be to say that it is ready, or be lost. */
  handleError(error: unknown): void {
    this.#forgetUnprepared();
    this.done({ rows: this.#rows, error });
  }

  handleReadyForQuery(): void {
    this.done({ rows: this.#rows });
  }

  #prepare(parts: Uint8Array[], sql: string): string {
    const { names, unwanted } = this.prepared;
    const known = names.get(sql);
    // Set anew, it is the last that will be forgotten.
    names.delete(sql);
    const name = known ?? `vkit_${this.prepared.next}`;
    names.set(sql, name);
    if (known !== undefined) return name;
    this.prepared.next += 1;
    parts.push(this.messages.parse({ name, text: sql }));
    for (const [oldest, oldName] of names) {
      if (names.size <= PREPARED_MAX) break;
      names.delete(oldest);
      unwanted.add(oldName);
    }
    return name;
  }

  /** Of the statement that failed it is unknown whether it is prepared, and what came after it is not. */
  #forgetUnprepared(): void {
    for (const { sql } of this.statements.slice(this.#rows.length)) {
      const name = this.prepared.names.get(sql);
      if (name === undefined) continue;
      this.prepared.names.delete(sql);
      // Closing a name that is not taken is no error.
      this.prepared.unwanted.add(name);
    }
  }
}

function toWire(value: BoundValue): string | Buffer {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
